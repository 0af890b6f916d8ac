"""Payments over HTTP, for staff: charges, ledgers, refunds, cases, reports and notifications."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query

from comanda.clock import utc_now
from comanda.identity.settings import IdentitySettings, verifier_from
from comanda.ids import OrderId, ShopId
from comanda.settings import read
from comanda.telemetry import configure_logging
from workers.payments import closing_routes, routes_operator
from workers.payments.doors import Reader, answered
from workers.payments.reader import PostgresPaymentsReader
from workers.payments.report_views import (
    AuditRowView,
    AuditView,
    CaseMarksView,
    CaseMarkView,
    ReconciliationView,
)
from workers.payments.repository import PostgresPayments
from workers.payments.shops import NamedCharge, VisibleText
from workers.payments.views import (
    AttemptsView,
    AttemptView,
    CasesView,
    CaseView,
    ChargesView,
    ChargeView,
    EntryView,
    LedgerView,
    NotificationsView,
    NotificationView,
    TotalsView,
)
from workers.runtime.aws import sns_publisher
from workers.runtime.http import KnownShop, Lifespan, create_api, serve, staff
from workers.runtime.postgres import PostgresUnits
from workers.runtime.postgres_pool import postgres_pool


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentsApiSettings:
    """What the API of payments reads from its environment."""

    stage: str
    shops: tuple[ShopId, ...]
    database_url: str
    topic_arn: str
    http_port: int
    http_host: str = "127.0.0.1"


_ANY_STAFF = Depends(staff("kitchen", "manager", "owner"))
_OFFICE = Depends(staff("manager", "owner"))

router = APIRouter(prefix="/apis/payments/{shop}")


@router.get("/charges", dependencies=[_ANY_STAFF])
async def charges(
    shop: KnownShop, *, reader: Reader, order_id: Annotated[str, VisibleText]
) -> ChargesView:
    """Show the charges of an order."""
    found = await answered(reader.charges(shop, OrderId(order_id)))
    return ChargesView(charges=[ChargeView.of(charge) for charge in found])


@router.get("/totals", dependencies=[_ANY_STAFF])
async def totals(shop: KnownShop, *, reader: Reader) -> TotalsView:
    """Show what the shop's payments add up to; the sum is that of the ledger."""
    return TotalsView.of(await answered(reader.totals(shop)))


@router.get("/cases", dependencies=[_OFFICE])
async def cases(
    shop: KnownShop, *, reader: Reader, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> CasesView:
    """Show what a human must settle, oldest first."""
    found = await answered(reader.open_cases(shop, limit=limit))
    return CasesView(cases=[CaseView.of(case) for case in found])


@router.get("/notifications", dependencies=[_OFFICE])
async def notifications(
    shop: KnownShop,
    *,
    reader: Reader,
    resource_id: Annotated[str, VisibleText],
) -> NotificationsView:
    """Show what came in for a resource of the provider, and our verdicts."""
    found = await answered(reader.notifications(shop, resource_id))
    return NotificationsView(notifications=[NotificationView.of(each) for each in found])


@router.get("/charges/{charge_id}/refunds", dependencies=[_OFFICE])
async def refunds(charge_id: NamedCharge, *, shop: KnownShop, reader: Reader) -> AttemptsView:
    """Show the refunds and cancellations of a charge."""
    found = await answered(reader.attempts_of(shop, charge_id))
    return AttemptsView(refunds=[AttemptView.of(each) for each in found])


@router.get("/charges/{charge_id}/ledger", dependencies=[_OFFICE])
async def ledger(charge_id: NamedCharge, *, shop: KnownShop, reader: Reader) -> LedgerView:
    """Show the lines of a charge's ledger and who told each."""
    found = await answered(reader.ledger(shop, charge_id))
    return LedgerView(entries=[EntryView.of(each) for each in found])


@router.get("/reconciliation", dependencies=[_OFFICE])
async def reconciliation(
    shop: KnownShop, *, reader: Reader, hours: Annotated[int, Query(ge=1, le=24 * 90)] = 24
) -> ReconciliationView:
    """Show what matched, what asking repaired, and what is open, since so many hours."""
    since = utc_now() - timedelta(hours=hours)
    return ReconciliationView.of(await answered(reader.reconciliation(shop, since=since)))


@router.get("/audit/charges", dependencies=[_OFFICE])
async def audit(
    shop: KnownShop,
    *,
    reader: Reader,
    after: Annotated[str, Query(max_length=64, pattern=r"^[\x21-\x7e]*$")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> AuditView:
    """Show every charge with its balances, in pages."""
    found = await answered(reader.audit(shop, after=after, limit=limit))
    last = found[-1].charge.id if len(found) == limit else None
    return AuditView(charges=[AuditRowView.of(row) for row in found], next=last)


@router.get("/audit/cases", dependencies=[_OFFICE])
async def audit_cases(
    shop: KnownShop,
    *,
    reader: Reader,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> CaseMarksView:
    """Show every case there is or was, in pages."""
    found = await answered(reader.case_marks(shop, after=after, limit=limit))
    last = found[-1].id if len(found) == limit else None
    return CaseMarksView(cases=[CaseMarkView(**asdict(mark)) for mark in found], next=last)


def build_app(shops: tuple[ShopId, ...], *, connect: Lifespan) -> FastAPI:
    """Make the app; `connect` sets `reader`, `payments` and `verifier` on its state."""

    async def probe() -> None:
        await app.state.reader.ping()

    app = create_api("payments", probe=probe, lifespan=connect)
    app.state.shops = frozenset(shops)
    app.include_router(router)
    app.include_router(routes_operator.router)
    app.include_router(closing_routes.router)
    return app


def main() -> None:
    """Serve payments until SIGTERM."""
    configure_logging("payments-api")
    settings = read(PaymentsApiSettings)
    identity = read(IdentitySettings)

    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncIterator[None]:
        async with (
            postgres_pool(settings.database_url) as pool,
            sns_publisher(settings.topic_arn) as publisher,
        ):
            units = PostgresUnits(pool, publisher=publisher, clock=utc_now)
            app.state.reader = PostgresPaymentsReader(pool)
            app.state.payments = PostgresPayments(units, pool=pool, clock=utc_now)
            app.state.verifier = verifier_from(identity)
            yield
            # What the relay cannot publish any more stays in the outbox for the worker's sweep.
            await units.drain()

    app = build_app(settings.shops, connect=connect)
    serve(app, host=settings.http_host, port=settings.http_port)


if __name__ == "__main__":
    main()
