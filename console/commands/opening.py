"""`comanda shop`: open, close, or by the hours of the week."""

import re
from typing import Annotated, Any

import typer

from console.commands.asking import (
    JsonOption,
    PlacesOption,
    ShopOption,
    answer_json,
    asked,
    give_up,
    out,
    table,
    told,
)

shop = typer.Typer(no_args_is_help=True, help="Whether a shop takes orders, and when.")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_STRETCH = re.compile(r"(\w{3}) (\d\d:\d\d)-(\d\d:\d\d)", re.ASCII)
_SAYS = {
    "OPEN": "open, whatever its hours say",
    "CLOSED": "closed, whatever its hours say",
    "BY_HOURS": "open by its hours",
}


@shop.command("open")
def open_it(
    *, named: ShopOption = "", places: PlacesOption = None, as_json: JsonOption = False
) -> None:
    """Take orders now, whatever the hours say, until told otherwise.

    Example: comanda shop open
    """
    _switch("OPEN", named, places, as_json=as_json)


@shop.command("close")
def close_it(
    *, named: ShopOption = "", places: PlacesOption = None, as_json: JsonOption = False
) -> None:
    """Take no orders, whatever the hours say, until told otherwise.

    Example: comanda shop close --shop lanchonete-da-ana
    """
    _switch("CLOSED", named, places, as_json=as_json)


@shop.command("by-hours")
def follow_hours(
    *, named: ShopOption = "", places: PlacesOption = None, as_json: JsonOption = False
) -> None:
    """Let the hours of the week decide again.

    Example: comanda shop by-hours
    """
    _switch("BY_HOURS", named, places, as_json=as_json)


@shop.command()
def hours(
    stretches: Annotated[
        list[str] | None, typer.Argument(help='Such as "fri 18:00-02:00"; none to read them.')
    ] = None,
    *,
    named: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the hours of the week, or make these the only ones.

    Example: comanda shop hours "fri 18:00-02:00" "sat 18:00-02:00"
    """
    wanted = [_stretch(text) for text in stretches or ()]
    with told():
        ask = asked(places, named)
        rules: Any = ask.read("catalog", "/shop")
        if wanted:
            body = {name: rules[name] for name in ("switch", "most_in_flight", "day_begins_at")}
            # Somebody else may change them meanwhile; then nothing is overwritten.
            tag = {"If-Match": f'"{rules["version"]}"'}
            body["hours"] = wanted
            rules = ask.send("catalog", "/shop", body, method="PUT", headers=tag)
    if as_json:
        answer_json(rules)
        return
    out.print(_SAYS[rules["switch"]])
    rows = [(DAYS[it["weekday"]], it["opens"], it["closes"]) for it in rules["hours"]]
    table("Hours", ("day", "opens", "closes"), rows)


def _switch(switch: str, named: str, places: PlacesOption, *, as_json: bool) -> None:
    with told():
        ask = asked(places, named)
        rules = ask.send("catalog", "/shop/switch", {"switch": switch}, method="PUT")
    if as_json:
        answer_json(rules)
    else:
        out.print(f"{ask.shop}: {_SAYS[rules['switch']]}")


def _stretch(text: str) -> dict[str, object]:
    found = _STRETCH.fullmatch(text.strip().lower())
    if found is None or found[1] not in DAYS:
        give_up(f'{text!r} is no stretch of the week, such as "fri 18:00-02:00"')
    return {"weekday": DAYS.index(found[1]), "opens": found[2], "closes": found[3]}
