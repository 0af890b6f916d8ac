"""A shop's webhook, and its system that takes or refuses what it is sent."""

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from comanda.ids import new_id
from tests.orders_builders import NOW, SHOP
from workers.orders.feed import BEGINNING
from workers.orders.hooks import Hook, new_secret


def hook(url: str = "https://caixa.exemplo.com.br/", **fields: Any) -> Hook:
    values = {"id": new_id(NOW), "secret": new_secret(), "position": BEGINNING} | fields
    return Hook(shop_id=SHOP, url=url, created_at=NOW, **values)


@dataclass(kw_only=True)
class Till:
    """A shop's system that takes or refuses what it is sent."""

    status: int = 204
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append((headers, await request.read()))
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})

    @property
    def statuses(self) -> list[str]:
        return [json.loads(body)["event"]["status"] for _, body in self.got]
