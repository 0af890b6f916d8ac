"""Mail to customers: sent once, kept while SES is down, never to who left no address."""

from dataclasses import dataclass, field, replace

import pytest

from comanda.events import CustomerRegistered
from comanda.ids import CustomerId
from tests.orders_builders import SHOP, Clock, approved, changed, deliver, request, till
from workers.orders.kitchen import advance
from workers.orders.mail import LEASE
from workers.orders.memory import InMemoryOrders
from workers.orders.model import Order, Step
from workers.orders.postman import MailRefused, MailUnavailable, Postman

CUSTOMER = CustomerId("00000000-0000-4000-8000-000000000003")
EMAIL = "ana@exemplo.com.br"


@dataclass(kw_only=True)
class Post:
    """A mail service that can be down, or refuse."""

    fault: Exception | None = None
    sent: list[tuple[str, str, str]] = field(default_factory=list)

    async def send(self, email: str, *, subject: str, text: str) -> None:
        if self.fault is not None:
            raise self.fault
        self.sent.append((email, subject, text))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def orders(clock: Clock) -> InMemoryOrders:
    return InMemoryOrders(clock=clock)


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def postman(orders: InMemoryOrders, post: Post, clock: Clock) -> Postman:
    return Postman(letterbox=orders, mailer=post, clock=clock)


async def paid(orders: InMemoryOrders, clock: Clock, *, is_known: bool = True) -> Order:
    await deliver(changed(), orders=orders)
    if is_known:
        person = CustomerRegistered(shop_id=SHOP, customer_id=CUSTOMER, email=EMAIL)
        await deliver(person, orders=orders)
    counter = till(orders, desk=orders, menus=orders, clock=clock)
    placement = await counter.place(replace(request(owner=CUSTOMER), customer_id=CUSTOMER))
    assert placement.order is not None
    await deliver(approved(placement.order), orders=orders, times=2)
    return placement.order


async def test_a_paid_order_is_mailed_once_in_portuguese(
    orders: InMemoryOrders, postman: Postman, post: Post, clock: Clock
) -> None:
    await paid(orders, clock)

    sent = [await postman.send_owed() for _ in range(2)]

    assert sent == [1, 0]
    assert post.sent == [
        (
            EMAIL,
            "Pedido 1: pagamento confirmado",
            "Recebemos seu Pix de R$ 25,00. O pedido 1 foi para a cozinha.",
        )
    ]


async def test_mail_waits_while_the_service_is_down(
    orders: InMemoryOrders, postman: Postman, post: Post, clock: Clock
) -> None:
    await paid(orders, clock)
    post.fault = MailUnavailable()
    down = [await postman.send_owed() for _ in range(2)]
    post.fault = None
    too_early = await postman.send_owed()
    clock.pass_by(seconds=LEASE.total_seconds() + 1)

    assert (down, too_early, await postman.send_owed()) == ([0, 0], 0, 1)
    assert len(post.sent) == 1


@pytest.mark.parametrize("reason", ["refused", "unknown", "stale", "for days"])
async def test_mail_that_nobody_can_get_does_not_stand_in_the_way(
    orders: InMemoryOrders, postman: Postman, post: Post, clock: Clock, reason: str
) -> None:
    order = await paid(orders, clock, is_known=reason != "unknown")
    if reason == "refused":
        post.fault = MailRefused()
    if reason == "for days":
        post.fault = MailUnavailable()
        clock.pass_by(days=2)
    if reason == "stale":
        await postman.send_owed()
        post.sent.clear()
        for step in (Step.START, Step.MAKE_READY):
            await advance(SHOP, order.id, step=step, orders=orders)
        clock.pass_by(hours=2)

    await postman.send_owed()

    assert (await orders.owed(limit=9), post.sent) == ([], [])
