"""The least that an ordering API can be: `python -m benchmarks.orders.bare`.

One FastAPI process on the same table, by the same client library. Its `POST` reads a product and
writes an order; its board is one query. It knows no tokens, idempotency, call numbers, events,
stock, opening hours or history, and believes the price that it is sent.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from workers.runtime.aws import dynamodb_client


class WantedLine(BaseModel):
    """One line of an order."""

    product_id: str
    quantity: int


class Wanted(BaseModel):
    """The body of a `POST`."""

    lines: list[WantedLine]


def build(table: str) -> FastAPI:
    """Make the app."""

    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncIterator[None]:
        async with dynamodb_client() as client:
            app.state.client = client
            yield

    app = FastAPI(lifespan=connect)

    @app.post("/{shop}/orders", status_code=201)
    async def place(shop: str, wanted: Wanted) -> dict[str, Any]:
        product = {
            "pk": {"S": f"{shop}#MENU"},
            "sk": {"S": f"PRODUCT#{wanted.lines[0].product_id}"},
        }
        await app.state.client.get_item(TableName=table, Key=product)
        order = {"id": str(uuid4()), "status": "PENDING_PAYMENT", "shop_id": shop}
        item: dict[str, Any] = {name: {"S": value} for name, value in order.items()}
        item |= {"pk": {"S": f"{shop}#BARE#{order['id']}"}, "sk": {"S": "ORDER"}}
        lines = [{"M": {"product_id": {"S": it.product_id}}} for it in wanted.lines]
        await app.state.client.put_item(TableName=table, Item={**item, "lines": {"L": lines}})
        return {**order, "lines": [it.model_dump() for it in wanted.lines]}

    @app.get("/{shop}/board")
    async def board(shop: str) -> dict[str, Any]:
        found = await app.state.client.query(
            TableName=table,
            IndexName="board",
            KeyConditionExpression="board_pk = :board",
            ExpressionAttributeValues={":board": {"S": f"{shop}#BOARD"}},
        )
        shown = ("id", "status", "placed_at")
        return {"orders": [{name: it[name]["S"] for name in shown} for it in found["Items"]]}

    return app


if __name__ == "__main__":
    uvicorn.run(
        build(os.environ["COMANDA_ORDERS_TABLE"]),
        host="127.0.0.1",
        port=int(os.environ["COMANDA_HTTP_PORT"]),
        log_level="critical",
        access_log=False,
    )
