"""What owners do with webhooks: register, look at deliveries, enable again, remove."""

import re
from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from comanda.ids import ShopId, new_id
from workers.orders.bodies import Body
from workers.orders.doors import OpenFloor, answered
from workers.orders.feed import settled_until
from workers.orders.floor import Floor
from workers.orders.hooks import Delivery, Hook, TooManyHooks, new_secret
from workers.orders.outbound import LONGEST_URL, UnsafeAddress, check_url
from workers.runtime.http import KnownShop, Problem, staff
from workers.runtime.problems import document_refusals

router = APIRouter(prefix="/webhooks", dependencies=[Depends(staff("owner"))])
_ID = re.compile(r"[0-9a-f-]{36}", re.ASCII)


class HookBody(Body):
    """Where the shop's system listens: HTTPS, on a public address."""

    url: Annotated[str, Field(max_length=LONGEST_URL)]


class HookView(BaseModel):
    """A webhook without its secret."""

    id: str
    url: str
    created_at: datetime
    is_enabled: bool
    failures: int
    failing_since: datetime | None
    next_try_at: datetime | None

    @classmethod
    def of(cls, hook: Hook) -> Self:
        """Show a webhook."""
        return cls(**{name: getattr(hook, name) for name in HookView.model_fields})


class NewHookView(HookView):
    """A webhook that was just registered; the secret is shown this once."""

    secret: str


class DeliveryView(BaseModel):
    """One try; `event_id` is the `webhook-id` that was sent."""

    event_id: str
    at: datetime
    attempt: int
    is_taken: bool
    status: int | None
    fault: str
    milliseconds: int

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """Show a try."""
        return cls(
            event_id=delivery.entry_id,
            at=delivery.at,
            attempt=delivery.attempt,
            is_taken=delivery.is_taken,
            status=delivery.status,
            fault=delivery.fault,
            milliseconds=delivery.milliseconds,
        )


class HooksView(BaseModel):
    """All webhooks of a shop."""

    webhooks: list[HookView]


class DeliveriesView(BaseModel):
    """The last tries, newest first."""

    deliveries: list[DeliveryView]


@router.post("", status_code=201, responses=document_refusals(409))
async def register(shop: KnownShop, *, body: HookBody, floor: OpenFloor) -> NewHookView:
    """Register a webhook; it is told of everything from now on."""
    try:
        url = check_url(body.url, may_be_loopback=floor.may_call_loopback)
    except UnsafeAddress as exc:
        errors = [{"field": "body.url", "message": str(exc)}]
        raise Problem(422, "Invalid request", detail="see errors", errors=errors) from exc
    now = floor.clock()
    hook = Hook(
        shop_id=shop,
        id=new_id(now),
        url=url,
        secret=new_secret(),
        created_at=now,
        position=settled_until(now),
    )
    try:
        await answered(floor.hooks.add(hook))
    except TooManyHooks as exc:
        raise Problem(409, "The shop has as many webhooks as it may") from exc
    return NewHookView(**HookView.of(hook).model_dump(), secret=hook.secret)


@router.get("")
async def list_hooks(shop: KnownShop, *, floor: OpenFloor) -> HooksView:
    """List the webhooks of the shop."""
    found = await answered(floor.hooks.all(shop))
    return HooksView(webhooks=[HookView.of(hook) for hook in found])


@router.delete("/{hook_id}", status_code=204, response_class=Response)
async def remove(shop: KnownShop, *, hook_id: str, floor: OpenFloor) -> Response:
    """Remove a webhook."""
    await _found(shop, hook_id, floor=floor)
    await answered(floor.hooks.remove(shop, hook_id))
    return Response(status_code=204)


@router.post("/{hook_id}/enable")
async def enable(shop: KnownShop, *, hook_id: str, floor: OpenFloor) -> HookView:
    """Try a webhook again at once, also one that was given up; it goes on where it stopped."""
    hook = (await _found(shop, hook_id, floor=floor)).enabled()
    await answered(floor.hooks.save(hook))
    return HookView.of(hook)


@router.get("/{hook_id}/deliveries")
async def list_deliveries(
    shop: KnownShop,
    *,
    hook_id: str,
    floor: OpenFloor,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> DeliveriesView:
    """List the last tries of a webhook, newest first."""
    await _found(shop, hook_id, floor=floor)
    found = await answered(floor.hooks.deliveries(shop, hook_id, limit=limit))
    return DeliveriesView(deliveries=[DeliveryView.of(delivery) for delivery in found])


async def _found(shop: ShopId, hook_id: str, *, floor: Floor) -> Hook:
    if _ID.fullmatch(hook_id):
        for hook in await answered(floor.hooks.all(shop)):
            if hook.id == hook_id:
                return hook
    raise Problem(404, "There is no such webhook")
