"""Events of one order's life for the archive, and its stores: memory, and what moto plays."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import boto3
from aiobotocore.session import get_session
from moto.server import ThreadedMotoServer

from comanda.envelope import Envelope, seal
from comanda.events import (
    ChargeCreated,
    CustomerErased,
    Event,
    Line,
    NotificationReceived,
    OrderPaid,
    OrderPlaced,
    PaymentApproved,
    RawRequest,
    StockReserved,
)
from comanda.ids import ChargeId, CustomerId, OrderId, ProductId, ReservationId, ShopId
from comanda.money import Money
from comanda.settings import topology
from local.provision.tables import table_request
from workers.archive.memory import InMemoryIndex, InMemoryObjects
from workers.archive.objects import S3Objects
from workers.archive.ports import Index, Objects
from workers.archive.repository import DynamoIndex
from workers.archive.scribe import Scribe
from workers.archive.table import ArchiveTable

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SHOP, OTHER_SHOP = ShopId("lanchonete-da-ana"), ShopId("cantina-do-beto")
ORDER, CHARGE = OrderId(str(UUID(int=1))), ChargeId(str(UUID(int=2)))
CUSTOMER = CustomerId(str(UUID(int=3)))
PAYMENT = "12345678"
TOTAL = Money.parse("12.00")
_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """The two stores of an archive."""

    index: Index
    objects: Objects

    def scribe(self, *, most: int = 500, linger: timedelta = timedelta(milliseconds=20)) -> Scribe:
        return Scribe(self.index, self.objects, clock=lambda: NOW, most=most, linger=linger)


def lines(notes: str = "") -> tuple[Line, ...]:
    price = Money.parse("6.00")
    name = ProductId("pastel")
    return (Line(product_id=name, name="Pastel", quantity=2, unit_price=price, notes=notes),)


def placed(
    *, at: datetime = NOW, customer: CustomerId | None = None, notes: str = "", **names: Any
) -> Envelope:
    event = OrderPlaced(
        shop_id=names.get("shop", SHOP),
        order_id=names.get("order", ORDER),
        customer_id=customer,
        lines=lines(notes),
        total=TOTAL,
    )
    return seal(event, now=at)


def paid_life(*, customer: CustomerId | None = None, notes: str = "") -> list[Envelope]:
    """One order from its placing to the kitchen, a second between its events."""
    first = placed(customer=customer, notes=notes)
    reserved = after(
        first,
        StockReserved(
            shop_id=SHOP,
            order_id=ORDER,
            customer_id=customer,
            reservation_id=ReservationId(str(UUID(int=4))),
            lines=lines(notes),
            total=TOTAL,
        ),
    )
    charged = after(
        reserved,
        ChargeCreated(
            shop_id=SHOP,
            order_id=ORDER,
            charge_id=CHARGE,
            amount=TOTAL,
            pix_code="000201",
            expires_at=NOW + timedelta(minutes=15),
        ),
    )
    told = seal(
        NotificationReceived(
            shop_id=SHOP,
            topic="payment",
            resource_id=PAYMENT,
            received_at=NOW,
            request=RawRequest(method="POST", path="/", headers=(), query=(), body="{}"),
        ),
        now=charged.time + timedelta(seconds=1),
    )
    approved = after(
        told,
        PaymentApproved(
            shop_id=SHOP, order_id=ORDER, charge_id=CHARGE, amount=TOTAL, approved_at=NOW
        ),
    )
    return [
        first,
        reserved,
        charged,
        told,
        approved,
        after(approved, OrderPaid(shop_id=SHOP, order_id=ORDER)),
    ]


def erased(*, at: datetime = NOW + timedelta(hours=1)) -> Envelope:
    return seal(CustomerErased(shop_id=SHOP, customer_id=CUSTOMER), now=at)


def after(cause: Envelope, event: Event) -> Envelope:
    return seal(event, now=cause.time + timedelta(seconds=1), cause=cause)


@contextmanager
def aws_stand_in() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@asynccontextmanager
async def opened_shelf(kind: str, endpoint: str) -> AsyncIterator[Shelf]:
    if kind == "memory":
        yield Shelf(index=InMemoryIndex(), objects=InMemoryObjects())
        return
    options = connection(endpoint)
    number = next(_numbers)
    table, bucket = f"comanda-test-archive-{number}", f"comanda-test-archive-{number}"
    shape = topology()["contexts"]["archive"]["tables"]["archive"]
    boto3.client("dynamodb", **options).create_table(**table_request(table, shape))
    boto3.client("s3", **options).create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "sa-east-1"}
    )
    session = get_session()
    async with (
        session.create_client("dynamodb", **options) as dynamodb,
        session.create_client("s3", **options) as s3,
    ):
        objects = S3Objects(s3, bucket=bucket)
        index = DynamoIndex(
            ArchiveTable(dynamodb, name=table),
            objects=objects,
            clock=lambda: NOW,
            retention=timedelta(days=400),
        )
        yield Shelf(index=index, objects=objects)


def connection(endpoint: str) -> dict[str, str]:
    return {
        "endpoint_url": endpoint,
        "region_name": "sa-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
