"""Tell webhooks what came in the feed: one message for each entry, in order, until it is taken."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import aiohttp

from comanda.ids import ShopId
from workers.orders.feed import FeedEntry, settled_until
from workers.orders.feed_views import EntryView
from workers.orders.hooks import Delivery, Hook, Hooks, signature
from workers.orders.outbound import UnsafeAddress, check_url

log = logging.getLogger(__name__)
# So many take well under the lease of a minute, even when each answer takes its ten seconds.
_BATCH = 5


class FeedReader(Protocol):
    """Where the entries come from."""

    async def feed(
        self, shop_id: ShopId, *, after: str, before: str, limit: int
    ) -> list[FeedEntry]:
        """List entries of the feed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Herald:
    """All that telling needs; `session` is one of `outbound`."""

    shops: tuple[ShopId, ...]
    hooks: Hooks
    reader: FeedReader
    session: aiohttp.ClientSession
    clock: Callable[[], datetime]
    may_be_loopback: bool = False

    async def tell_all(self) -> int:
        """Tell every webhook that is due a few entries; give how many were taken."""
        due: list[Hook] = []
        for shop_id in self.shops:
            now = self.clock()
            due += [hook for hook in await self.hooks.all(shop_id) if hook.is_due(now=now)]
        taken = await asyncio.gather(*(self._tell(hook) for hook in due))
        return sum(taken)

    async def _tell(self, hook: Hook) -> int:
        now = self.clock()
        entries = await self.reader.feed(
            hook.shop_id, after=hook.position, before=settled_until(now), limit=_BATCH
        )
        # Whoever comes second finds the webhook held, or moved on, and leaves it alone.
        if not entries or not await self.hooks.hold(hook, now=now):
            return 0
        taken = 0
        for entry in entries:
            delivery = await self._deliver(hook, entry)
            await self.hooks.log(delivery)
            if not delivery.is_taken:
                hook = hook.failed(now=self.clock())
                break
            hook, taken = hook.told(entry.position), taken + 1
        await self.hooks.save(hook)
        return taken

    async def _deliver(self, hook: Hook, entry: FeedEntry) -> Delivery:
        view = EntryView.of(entry)
        status, fault, began = None, "", time.perf_counter()
        try:
            status = await self._post(hook, message_id=view.id, body=_body(view, hook=hook))
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            fault = type(exc).__name__
        except UnsafeAddress as exc:
            fault = str(exc)
        return Delivery(
            shop_id=hook.shop_id,
            hook_id=hook.id,
            entry_id=view.id,
            at=self.clock(),
            attempt=hook.failures + 1,
            status=status,
            fault=fault,
            milliseconds=int((time.perf_counter() - began) * 1000),
        )

    async def _post(self, hook: Hook, *, message_id: str, body: bytes) -> int:
        # The connector asks its resolver about names alone, so an address is checked here again.
        url = check_url(hook.url, may_be_loopback=self.may_be_loopback)
        sent_at = int(self.clock().timestamp())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(sent_at),
            "webhook-signature": signature(
                hook.secret, message_id=message_id, sent_at=sent_at, body=body
            ),
        }
        # The body of the answer is nobody's business, and could be endless.
        async with self.session.post(
            url, data=body, headers=headers, allow_redirects=False
        ) as answer:
            return answer.status


def _body(view: EntryView, *, hook: Hook) -> bytes:
    return f'{{"shop_id":"{hook.shop_id}","event":{view.model_dump_json()}}}'.encode()
