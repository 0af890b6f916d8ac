"""`comanda webhooks`: what Mercado Pago said, about one order or at all, and our verdicts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

import typer

from comanda.ids import is_id
from console.commands.asking import (
    Asked,
    JsonOption,
    PlacesOption,
    ShopOption,
    answer_json,
    asked,
    table,
    told,
)
from console.commands.naming import order_id_of
from console.webhooks import TYPES, heard

webhooks = typer.Typer(no_args_is_help=True, help="What Mercado Pago said, and our verdicts.")


@webhooks.command("list")
def list_webhooks(
    subject: Annotated[
        str, typer.Argument(help="An order, or a resource of Mercado Pago's; none for all.")
    ] = "",
    *,
    minutes: Annotated[int, typer.Option(min=1, max=44640, help="How far back, without one.")] = 60,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the notifications about an order's charges, about one resource, or the newest of all.

    Examples: comanda webhooks list 37 | comanda webhooks list --minutes 120
    """
    with told():
        ask = asked(places, shop)
        if not subject:
            _list_all(ask, minutes=minutes, limit=limit, as_json=as_json)
            return
        found = [
            {**it, "resource_id": resource}
            for resource in _resources(ask, subject)
            for it in ask.read("payments", "/notifications", resource_id=resource)["notifications"]
        ]
    if as_json:
        answer_json(found)
        return
    rows = [
        (it["received_at"], it["resource_id"], it["topic"], it["verdict"], it["doubt"])
        for it in found
    ]
    table("Notifications", ("received", "resource", "topic", "verdict", "doubt"), rows)


def _list_all(ask: Asked, *, minutes: int, limit: int, as_json: bool) -> None:
    until = datetime.now(UTC)
    query = {
        "since": (until - timedelta(minutes=minutes)).isoformat(),
        "until": until.isoformat(),
        "types": list(TYPES),
        "limit": limit,
    }
    events = ask.read("archive", f"/newest-events?{urlencode(query, doseq=True)}")["events"]
    found = [heard(it) for it in events]
    if as_json:
        answer_json([it.to_json() for it in found])
        return
    rows = [(it.received_at, it.resource, it.topic, it.verdict, it.reason) for it in found]
    title = f"Notifications of {minutes} minutes"
    table(title, ("received", "resource", "topic", "signature", "why not"), rows)


def _resources(ask: Asked, subject: str) -> Sequence[str]:
    if not is_id(subject) and not subject.isdecimal():
        return [subject]
    if subject.isdecimal() and len(subject) > 6:
        return [subject]
    charges = ask.read("payments", "/charges", order_id=order_id_of(ask, subject))["charges"]
    return [it["provider_id"] for it in charges if it["provider_id"]]
