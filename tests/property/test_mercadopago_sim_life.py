"""Whatever is asked of the simulator, it refuses by name or keeps its money straight."""

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from comanda.money import ZERO, Money
from local.mercadopago.disputes import OUTCOMES
from local.mercadopago.errors import NotPayable, Refused
from local.mercadopago.order_requests import read_order
from local.mercadopago.order_requests import read_refund as read_order_refund
from local.mercadopago.payment_requests import read_payment, read_refund, read_store_order
from local.mercadopago.refunds import RefundRefused
from local.mercadopago.sales import OPEN, IllegalTransition, Sale, State
from local.mercadopago.settings import Switches
from local.mercadopago.system import System
from tests.mercadopago_simulator import SHOP, applications, order_body, payment_body

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def paths(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(content, dict):
        found += [p for name, part in content.items() for p in paths(part, (*path, name))]
    if isinstance(content, list):
        found += [p for place, part in enumerate(content) for p in paths(part, (*path, place))]
    return found


@st.composite
def spoilt(draw: st.DrawFn, body: dict[str, Any]) -> bytes:
    content: Any = json.loads(json.dumps(body))
    *way, last = draw(st.sampled_from([path for path in paths(content) if path]))
    place = content
    for step in way:
        place = place[step]
    place[last] = draw(JSON)
    return json.dumps(content).encode()


def read_all(raw: bytes, *, system: System) -> None:
    facts: dict[str, Any] = {"switches": Switches(), "is_test": False}
    for read in (read_order, read_payment):
        with suppress(Refused):
            wanted = read(raw, now=system.provider.now(), **facts)
            application = system.applications.of_shop(SHOP)
            assert application is not None
            assert system.provider.find(system.provider.open(wanted, application).id)
    for reader in (read_refund, read_order_refund, read_store_order):
        with suppress(Refused):
            reader(raw)


@given(
    raw=spoilt(order_body())
    | spoilt(payment_body(metadata={"a": 1}, notification_url="https://x.example"))
    | JSON.map(lambda content: json.dumps(content).encode())
    | st.binary()
)
@settings(max_examples=300, deadline=None)
def test_any_body_is_taken_or_refused_by_name(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        system = System(Path(folder), applications("http://127.0.0.1:1"), seed="x")
        read_all(raw, system=system)
        system.database.close()


ACTS = st.sampled_from(
    [
        "pay",
        "late",
        "again",
        "reject",
        "expire",
        "cancel",
        "refund",
        "part",
        "dispute",
        "end",
        "tick",
    ]
)
FAULTS = st.sampled_from(
    [
        "refund_async",
        "refund_fails",
        "refund_contingency",
        "paid_twice",
        "dispute",
        "late_settlement",
    ]
)


class Fate:
    """Things that happen to one sale, each legal or refused by name."""

    def __init__(self, folder: Path) -> None:
        self.system = System(folder, applications("http://127.0.0.1:1"), seed="x")
        application = self.system.applications.of_shop(SHOP)
        assert application is not None
        body = json.dumps(order_body()).encode()
        now = self.system.provider.now()
        wanted = read_order(body, switches=Switches(), is_test=False, now=now)
        self.id = self.system.provider.open(wanted, application).id

    @property
    def sale(self) -> Sale:
        found = self.system.provider.find(self.id)
        assert found is not None
        return found

    def act(self, name: str) -> None:
        with suppress(NotPayable, IllegalTransition, RefundRefused):
            getattr(self, name)()

    def pay(self) -> None:
        self.system.provider.pay(self.sale)

    def late(self) -> None:
        self.system.provider.pay(self.sale, is_late=True)

    def again(self) -> None:
        self.system.provider.pay(self.sale, is_again=True)

    def reject(self) -> None:
        self.system.provider.reject(self.sale)

    def expire(self) -> None:
        self.system.provider.expire(self.sale)

    def cancel(self) -> None:
        self.system.provider.cancel(self.sale)

    def refund(self) -> None:
        self.system.refunds.refund(self.sale, amount=None)

    def part(self) -> None:
        self.system.refunds.refund(self.sale, amount=Money(1000))

    def dispute(self) -> None:
        self.system.disputes.open(self.sale, kind="claim")

    def end(self) -> None:
        for dispute in self.sale.disputes:
            for outcome in OUTCOMES[dispute.kind]:
                with suppress(IllegalTransition):
                    self.system.disputes.end(self.sale, dispute.id, outcome=outcome)

    def tick(self) -> None:
        self.system.clock.adjust(advance_seconds=61)
        while (next_one := self.system.schedule.next_appointment()) is not None:
            self.system.timekeeper.catch_up()
            if next_one == self.system.schedule.next_appointment():
                break


@given(acts=st.lists(ACTS, max_size=12), faults=st.lists(FAULTS, max_size=3, unique=True))
@settings(max_examples=200, deadline=None)
def test_money_that_went_back_had_arrived_and_time_never_goes_back(
    acts: list[str], faults: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        fate = Fate(Path(folder))
        for fault in faults:
            fate.system.faults.add({"kind": fault})
        before = fate.sale
        for act in acts:
            fate.act(act)
            after = fate.sale

            assert after.refunded <= after.paid
            assert after.refundable >= ZERO
            assert (after.state in OPEN) <= (after.paid == ZERO)
            assert after.updated_at >= before.updated_at
            assert (after.updated_at == before.updated_at) == (after == before)
            assert (after.state is State.REFUNDED) <= (after.refunded == after.paid)
            before = after
        fate.system.database.close()
