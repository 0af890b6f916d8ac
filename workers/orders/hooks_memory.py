"""Webhooks in memory, with the promises of the real store."""

from datetime import datetime

from comanda.ids import ShopId
from workers.orders.hooks import LEASE, MOST_HOOKS, Delivery, Hook, TooManyHooks


class InMemoryHooks:
    """Webhooks, leases and deliveries of one process."""

    def __init__(self) -> None:
        self._hooks: dict[tuple[ShopId, str], Hook] = {}
        self._leases: dict[tuple[ShopId, str], datetime] = {}
        self._log: list[Delivery] = []

    async def add(self, hook: Hook) -> None:
        """Keep a new webhook."""
        if len(await self.all(hook.shop_id)) >= MOST_HOOKS:
            raise TooManyHooks
        self._hooks[hook.shop_id, hook.id] = hook

    async def all(self, shop_id: ShopId) -> list[Hook]:
        """List the webhooks of a shop."""
        found = [hook for (shop, _), hook in self._hooks.items() if shop == shop_id]
        return sorted(found, key=lambda hook: hook.id)

    async def hold(self, hook: Hook, *, now: datetime) -> bool:
        """Take a webhook that nobody holds and nobody moved on."""
        key = hook.shop_id, hook.id
        found, leased_until = self._hooks.get(key), self._leases.get(key)
        is_moved = found is None or (found.position, found.failures) != (
            hook.position,
            hook.failures,
        )
        if is_moved or (leased_until is not None and leased_until > now):
            return False
        self._leases[key] = now + LEASE
        return True

    async def save(self, hook: Hook) -> None:
        """Write how a webhook fares."""
        key = hook.shop_id, hook.id
        if key in self._hooks:
            self._hooks[key] = hook
            self._leases.pop(key, None)

    async def remove(self, shop_id: ShopId, hook_id: str) -> bool:
        """Forget a webhook."""
        return self._hooks.pop((shop_id, hook_id), None) is not None

    async def log(self, delivery: Delivery) -> None:
        """Note a try."""
        self._log.append(delivery)

    async def deliveries(self, shop_id: ShopId, hook_id: str, *, limit: int) -> list[Delivery]:
        """List the last tries."""
        found = [d for d in self._log if (d.shop_id, d.hook_id) == (shop_id, hook_id)]
        return found[::-1][:limit]
