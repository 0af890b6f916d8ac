"""Read the books of a shop: three contexts through the public door, and the provider."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import urllib3

from comanda.mercadopago.client import open_apis
from comanda.mercadopago.values import Flavour, ProviderOrder
from comanda.money import ZERO, Money
from console.audit.books import (
    AuditedCase,
    AuditedCharge,
    AuditedClaim,
    AuditedLedger,
    AuditedLevel,
    AuditedOrder,
    AuditedReservation,
    Books,
    ProviderPaid,
)
from console.door import JSON, Door, DoorClosed
from console.places import Places

_MOST_PAGES = 10_000


def read_books(shop: str, *, places: Places, door: Door, days: int) -> Books:
    """Read one shop; the provider's books first, so that ours cannot be older than they are."""
    paid = tuple(_provider(shop, places=places, days=days))
    charges = tuple(
        _charge(row)
        for row in door.pages(shop, f"/apis/payments/{shop}/audit/charges", items="charges")
    )
    cases = tuple(
        AuditedCase(
            kind=row["kind"],
            subject=row["subject"],
            order_id=row["order_id"],
            is_open=row["is_open"],
            is_resolved=row["is_resolved"],
        )
        for row in door.pages(shop, f"/apis/payments/{shop}/audit/cases", items="cases")
    )
    orders, claims = _orders(shop, door=door)
    levels = door.read(shop, f"/apis/catalog/{shop}/audit")
    ledger = door.read(shop, f"/apis/catalog/{shop}/audit/ledger")
    reservations = _reservations(shop, door=door)
    taking = {it.order_id for it in reservations if it.units}
    if taking - set(orders):
        # They were placed since, or are gone; what was read of the others is not read anew.
        orders = _orders(shop, door=door)[0] | orders
    return Books(
        shop=shop,
        orders=orders,
        claims=claims,
        charges=charges,
        cases=cases,
        levels=tuple(AuditedLevel(**row) for row in levels["levels"]),
        ledger=tuple(_booked(row) for row in ledger["levels"]),
        paid=paid,
        reservations=reservations,
        is_whole=places.simulator is not None,
    )


def _orders(shop: str, *, door: Door) -> tuple[dict[str, AuditedOrder], tuple[AuditedClaim, ...]]:
    """Read orders and claims as they come in pages, and orders twice if one seems to be missing.

    One that is placed meanwhile may belong to a page that was read already, and its claim to one
    that was not; whoever looks once more after the claim was seen finds it.
    """
    path, claims = f"/apis/orders/{shop}/audit", list[AuditedClaim]()
    orders: dict[str, AuditedOrder] = {}
    for page in door.whole_pages(shop, path):
        orders |= {row["id"]: _order(row) for row in page["orders"]}
        claims += [AuditedClaim(**row) for row in page["claims"]]
    if any(claim.is_answered and claim.order_id not in orders for claim in claims):
        orders |= {row["id"]: _order(row) for row in door.pages(shop, path, items="orders")}
    return orders, tuple(claims)


def _reservations(shop: str, *, door: Door) -> tuple[AuditedReservation, ...]:
    """Read them behind the orders: stock follows its order, and never the other way round."""
    path = f"/apis/catalog/{shop}/audit/reservations"
    return tuple(AuditedReservation(**row) for row in door.pages(shop, path, items="reservations"))


def _provider(shop: str, *, places: Places, days: int) -> Iterator[ProviderPaid]:
    if places.simulator is not None:
        return _simulated(shop, url=places.simulator)
    return _searched(shop, places=places, days=days)


def _simulated(shop: str, *, url: str) -> Iterator[ProviderPaid]:
    pool, after = urllib3.PoolManager(), ""
    while True:
        fields = {"shop": shop, "limit": "1000", **({"after": after} if after else {})}
        answer = pool.request("GET", f"{url}/_control/truth", fields=fields)
        if answer.status != 200:
            raise DoorClosed(f"the simulator answered {answer.status}")
        page = json.loads(answer.data)
        for row in page["charges"]:
            if Money.parse(row["paid"]) > ZERO:
                yield _simulated_payment(row)
        after = page.get("next") or ""
        if not after:
            return


def _simulated_payment(row: JSON) -> ProviderPaid:
    own = row["id"] if row["api"] == "orders" else str(row["number"])
    return ProviderPaid(
        id=own,
        reference=row["reference"] or "",
        paid=Money.parse(row["paid"]),
        refunded=Money.parse(row["refunded"]),
    )


def _searched(shop: str, *, places: Places, days: int) -> Iterator[ProviderPaid]:
    if places.mercadopago is None or shop not in places.accounts:
        raise DoorClosed(f"nothing says how to see the provider's books of {shop}")
    apis = open_apis(places.mercadopago, places.accounts[shop].access_token)
    end = datetime.now(UTC) + timedelta(minutes=5)
    begin = end - timedelta(days=days)
    behind_orders: set[str] = set()
    for flavour in (Flavour.ORDERS, Flavour.PAYMENTS):
        for page in range(_MOST_PAGES):
            found = apis[flavour].search(begin=begin, end=end, page=page)
            for order in found.orders:
                behind_orders |= {payment.reference_id for payment in order.payments}
                is_told = flavour is Flavour.PAYMENTS and (
                    order.order_id is not None or order.id in behind_orders
                )
                if not is_told and order.paid_amount:
                    yield _paid(order)
            if found.is_last:
                break


def _paid(order: ProviderOrder) -> ProviderPaid:
    return ProviderPaid(
        id=order.id,
        reference=order.external_reference,
        paid=Money.from_decimal(order.paid_amount or Decimal(0)),
        refunded=Money.from_decimal(order.refunded_amount or Decimal(0)),
    )


def _order(row: JSON) -> AuditedOrder:
    return AuditedOrder(
        id=row["id"],
        status=row["status"],
        total=Money.parse(row["total"]),
        refunded=Money.parse(row["refunded"]),
        paid_by=row["paid_by"],
        history=tuple(row["history"]),
        units=row["units"],
        has_code=row["has_code"],
    )


def _charge(row: JSON) -> AuditedCharge:
    return AuditedCharge(
        id=row["id"],
        order_id=row["order_id"],
        status=row["status"],
        amount=Money.parse(row["amount"]),
        charged=Money.parse(row["charged"]),
        refunded=Money.parse(row["refunded"]),
        disputed=Money.parse(row["disputed"]),
        provider_id=row["provider_id"],
        open_attempts=row["open_attempts"],
        strays={
            stray["provider_id"]: (Money.parse(stray["charged"]), Money.parse(stray["refunded"]))
            for stray in row["strays"]
        },
    )


def _booked(row: JSON) -> AuditedLedger:
    return AuditedLedger(
        product_id=row["product_id"],
        level=(row["received"], row["held"], row["sold"]),
        booked=(row["ledger_received"], row["ledger_held"], row["ledger_sold"]),
    )
