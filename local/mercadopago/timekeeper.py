"""Let things happen when the virtual clock says so: expiry, appointments and notifications."""

import asyncio
import contextlib
import math

from local.mercadopago.clock import VirtualClock, instant_at
from local.mercadopago.courier import Courier
from local.mercadopago.disputes import Disputes
from local.mercadopago.provider import Provider
from local.mercadopago.refunds import Refunds
from local.mercadopago.sales import TRANSITIONS, State
from local.mercadopago.schedule import Appointment, Schedule

_LONGEST_NAP = 3600.0


class Timekeeper:
    """Sleep until the next thing is due, and do it."""

    def __init__(
        self,
        *,
        schedule: Schedule,
        clock: VirtualClock,
        provider: Provider,
        refunds: Refunds,
        disputes: Disputes,
        courier: Courier,
    ) -> None:
        self._schedule = schedule
        self._clock = clock
        self._provider = provider
        self._refunds = refunds
        self._disputes = disputes
        self._courier = courier
        self._courier.wake = self._provider.wake = self.expect
        self._next = math.inf
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin with what was due while nobody kept the time."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop keeping the time."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def expect(self, at: float) -> None:
        """Hear that something is due at a virtual instant."""
        if at < self._next:
            self._next = at
            self._woken.set()

    def adjusted(self) -> None:
        """Hear that the clock was adjusted: do what is due now, and sleep anew."""
        self.catch_up()
        self._woken.set()

    def catch_up(self) -> None:
        """Do all that is due by now, in the order in which it was."""
        now = self._clock.seconds()
        while True:
            expiry = self._schedule.next_expiry()
            appointment = self._schedule.next_appointment()
            is_first = appointment is not None and (expiry is None or appointment.due <= expiry[0])
            if appointment is not None and is_first and appointment.due <= now:
                self._keep(appointment)
            elif expiry is not None and expiry[0] <= now:
                self._expire(expiry[1], at=expiry[0])
            else:
                break
        upcoming = [expiry[0] if expiry else None, appointment.due if appointment else None]
        upcoming.append(self._courier.pump())
        self._next = min((at for at in upcoming if at is not None), default=math.inf)

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            self.catch_up()
            nap: float | None = _LONGEST_NAP
            if self._next < math.inf:
                nap = self._clock.real_seconds_until(self._next)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), timeout=nap)

    def _expire(self, sale_id: str, *, at: float) -> None:
        sale = self._provider.peek(sale_id)
        if sale is not None and State.EXPIRED in TRANSITIONS[sale.state]:
            self._provider.expire(sale, at=instant_at(at))

    def _keep(self, appointment: Appointment) -> None:
        with self._provider.database.transaction():
            self._schedule.drop_appointment(appointment)
            # The money may have come before the time was up, even if both lie behind us.
            sale = self._provider.peek(appointment.sale)
            if sale is None:
                return
            if appointment.task == "refund":
                self._refunds.finish(sale, argument=appointment.argument)
            elif appointment.task == "dispute" and sale.state is State.PAID:
                self._disputes.open(sale, kind=appointment.argument)
            else:
                self._provider.keep_appointment(sale, appointment)
