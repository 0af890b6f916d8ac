"""`comanda audit log`: who did what, when, why, and what it was before and after."""

from dataclasses import asdict
from typing import Annotated

import typer

from console.commands.asking import (
    JsonOption,
    PlacesOption,
    ShopOption,
    answer_json,
    asked,
    table,
    told,
)
from console.deeds import MOST, SOURCES, facts, in_order


def log(
    *,
    what: Annotated[str, typer.Option(help="Only acts whose name begins so.")] = "",
    who: Annotated[str, typer.Option(help="Only of whom this is part of the name.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=MOST)] = 50,
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell who did what: staff, dead letters, payment checks, replays; the newest first.

    Example: comanda audit log --what dead-letters
    """
    with told():
        ask = asked(places, shop)
        found = in_order(
            deed
            for source in SOURCES
            for deed in source.read(ask.read(source.context, source.path, **source.query))
        )
    chosen = [it for it in found if it.what.startswith(what) and who.lower() in it.who.lower()][
        :limit
    ]
    if as_json:
        answer_json([asdict(it) for it in chosen])
        return
    rows = [
        (
            it.at,
            it.who,
            f"{it.what} {it.whom}" + ("" if it.is_done else " (not ended)"),
            it.why,
            "\n".join(facts(it.before)),
            "\n".join(facts(it.after)),
        )
        for it in chosen
    ]
    table("Who did what", ("when", "who", "what", "why", "before", "after"), rows)
