"""The consumer against a model of SQS in virtual time: whatever happens, effects happen once.

Messages come in any order, twice, or again after their visibility; calls fail before or after they
took effect; handlers end in every way of the delivery table; the process is stopped, stopped twice,
killed, started again. Then all heals, and what is left must be exactly right.
"""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from comanda.envelope import seal
from comanda.events import OrderPaid
from comanda.ids import OrderId, ShopId
from tests.chaos.sqs_model import SqsModel
from tests.runtime_process import LIMITS, MAX_RECEIVES, Process, Store
from tests.virtual_time import VirtualLoop

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ENDINGS = ("fine", "slow", "retry", "fails", "fails late", "conflict", "outage", "unsure", "hangs")
FAULTS = ("receive", "delete", "hide", "extend", "reject")


class Life(RuleBasedStateMachine):
    """What may happen to a worker, in any order."""

    @initialize(seed=st.integers(0, 2**32), doubled=st.sampled_from([0.0, 0.2]))
    def begin(self, seed: int, doubled: float) -> None:
        self.loop = VirtualLoop()
        self.model = SqsModel(
            now=self.loop.time, rng=random.Random(seed), max_receives=MAX_RECEIVES, doubled=doubled
        )
        self.store = Store()
        self.endings: dict[str, list[str]] = {}
        self.invalid: set[str] = set()
        self.is_calm = True
        self.process: Process | None = None
        self.start()

    @precondition(lambda self: self.process is None)
    @rule()
    def start(self) -> None:
        with self._on_loop():
            self.process = Process(self.model, self.store, self.endings)

    @rule(
        order=st.integers(0, 2),
        endings=st.lists(st.sampled_from(ENDINGS), max_size=4) | st.just(["invalid"]),
        count=st.integers(1, 5),
        seconds=st.sampled_from([0.0, 0.015, 0.03, 0.05, 2.0]),
    )
    def send(self, order: int, endings: list[str], count: int, seconds: float) -> None:
        for _ in range(count):
            event = OrderPaid(shop_id=ShopId("lanchonete"), order_id=OrderId(str(order)))
            envelope = seal(event, now=NOW)
            self.endings[envelope.id] = list(endings)
            if endings == ["invalid"]:
                self.invalid.add(envelope.id)
            self.model.send(envelope.to_json(), message_id=envelope.id)
        self.is_calm &= set(endings) <= {"conflict"} and not self.model.doubled
        self.pass_time(seconds)

    @rule(seconds=st.sampled_from([0.001, 0.012, 0.1, 1.0, 5.0, 31.0, 130.0]))
    def pass_time(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))
        self._bury_if_gone()

    @precondition(lambda self: self.process is not None)
    @rule(name=st.sampled_from(FAULTS), fault=st.sampled_from(["lost", "unanswered", ""]))
    def break_or_heal(self, name: str, fault: str) -> None:
        self.process.faults[name] = fault
        self.is_calm = False

    @precondition(lambda self: self.process is not None)
    @rule(times=st.integers(1, 2), then=st.sampled_from([0.0, 0.02, 3.0]))
    def stop(self, times: int, then: float) -> None:
        self.is_calm &= times == 1
        for _ in range(times):
            self.process.subject.stop()
        self.loop.run_until_complete(asyncio.sleep(then))
        self._bury_if_gone()

    @precondition(lambda self: self.process is not None)
    @rule()
    def kill(self) -> None:
        self.process.is_dead = True
        self.is_calm = False
        self.loop.run_until_complete(self._cancel_everything())
        self.process = None

    def teardown(self) -> None:
        """Heal everything, let it drain, and judge."""
        if not hasattr(self, "loop"):
            return
        try:
            self._drain()
            self._stop_well()
            self._judge()
        finally:
            self.loop.run_until_complete(self._cancel_everything())
            self.loop.close()

    def _drain(self) -> None:
        for _ in range(400):
            if self.process is None:
                self.start()
            self.process.faults.clear()
            if self.model.is_drained:
                return
            self.loop.run_until_complete(asyncio.sleep(20))
            if not self.process.subject.is_healthy:
                self._stop_well()  # As an engineer does after a bad deploy.
        raise AssertionError(f"it does not drain: {self.model.entries}")

    def _stop_well(self) -> None:
        self.process.subject.stop()
        self.loop.run_until_complete(asyncio.wait_for(self.process.task, 60))
        self._bury_if_gone()

    def _judge(self) -> None:
        dead = {letter.id for letter in self.model.dead}
        by_verdict = {letter.id for letter in self.model.dead if letter.reason == "no such order"}
        assert set(self.store.effects.values()) <= {1}
        assert not set(self.store.effects) & self.invalid
        assert set(self.store.effects) | dead == set(self.endings), "a message was lost"
        assert not (self.is_calm and dead), "a good message died though nothing was wrong"
        assert by_verdict <= self.invalid, "a good message was rejected"
        assert all(
            letter.receive_count >= MAX_RECEIVES
            for letter in self.model.dead
            if letter.reason != "no such order"
        )

    def _bury_if_gone(self) -> None:
        process = self.process
        if process is None:
            return
        assert not process.is_side_by_side, "two messages of one order ran side by side"
        if not process.task.done():
            return
        process.task.result()  # Whatever befell it, it leaves well.
        subject = process.subject
        held = (subject._in_hand, subject._locks, subject._heartbeat._held)
        assert [len(each) for each in held] == [0, 0, 0]
        assert subject._window.free == LIMITS.window
        self.process = None

    async def _cancel_everything(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    @contextmanager
    def _on_loop(self) -> Iterator[None]:
        """Let code of now make tasks on the loop, which does not run."""
        asyncio._set_running_loop(self.loop)
        try:
            yield
        finally:
            asyncio._set_running_loop(None)


Life.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


# A failure is made small before it is told, and that takes its time.
TestWorkerLife = pytest.mark.timeout(600)(Life.TestCase)
