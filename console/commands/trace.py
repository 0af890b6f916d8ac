"""`comanda trace`: where the time of one order went, over all processes of a laptop with traces."""

from dataclasses import asdict
from pathlib import Path

from console.commands.asking import (
    JsonOption,
    PlacesOption,
    ShopOption,
    answer_json,
    asked,
    give_up,
    out,
    plain,
    table,
    told,
)
from console.commands.naming import order_id_of
from console.commands.orders import Named
from console.traces import Row, read_spans, spans_of, waterfall


def trace(
    order_id: Named,
    *,
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an order as a waterfall of spans over all processes; the laptop must run with TRACES=1.

    Example: comanda trace 37
    """
    with told():
        ask = asked(places, shop)
        named = order_id_of(ask, order_id)
    if ask.places.traces is None:
        give_up("no traces are kept here; start the laptop with `make run TRACES=1`")
    rows = waterfall(spans_of(named, read_spans(Path(ask.places.traces))))
    if not rows:
        give_up(f"no span of order {named} is kept; they come some seconds after what they tell of")
    if as_json:
        answer_json([{**asdict(row.span), "depth": row.depth} for row in rows])
        return
    _show(named, rows)


def _show(order_id: str, rows: list[Row]) -> None:
    origin = min(row.span.begin for row in rows)
    whole = max(max(row.span.end for row in rows) - origin, 1)
    lines = [
        (
            f"{'  ' * row.depth}{'↳ ' if row.is_linked else ''}{row.span.name}",
            row.span.service,
            row.span.attributes.get("cloudevents.event_type", ""),
            f"{(row.span.begin - origin) / 1e6:.1f}",
            f"{(row.span.end - row.span.begin) / 1e6:.1f}",
            "failed" if row.span.has_failed else "",
        )
        for row in rows
    ]
    table(f"Order {order_id}", ("span", "service", "event", "at ms", "took ms", ""), lines)
    services = len({row.span.service for row in rows})
    out.print(
        plain(
            f"{len(rows)} spans of {services} services; ↳ follows by a link; {whole / 1e6:.0f} ms"
        )
    )
