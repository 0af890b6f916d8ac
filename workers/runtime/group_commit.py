"""Many messages, one commit: units of one shop take turns on one connection.

A commit waits for the disk, so it is the dearest thing on the road. Whoever arrives while a group
is under way travels with the next one; a lone message is committed at once.

A savepoint for each unit costs a round trip, and units hardly ever fail. So a group begins without
them: when a unit fails, the group is rolled back, its other members get `Conflict` and come again
at once, and the next groups have a savepoint before each unit, to which one that fails is rolled
back alone. A group whose connection died never happened either: its members get the fault.

Groups of one shop never overlap, in this process or another: an advisory lock keeps them apart.
Their units lock rows in whatever order messages arrive, and would deadlock otherwise.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from comanda.envelope import Envelope
from comanda.ids import ShopId
from workers.runtime.errors import AlreadyHandled, Conflict
from workers.runtime.postgres_pool import Pool
from workers.runtime.postgres_unit import (
    Connection,
    PostgresUnit,
    forget_causes,
    record_causes,
    save_outbox,
)
from workers.runtime.tracing import committing, here

MOST = 64
# So many groups are careful after a unit has failed.
CAREFUL = 32


class _Member:
    """A message that waits for its turn, takes it, and waits for the commit."""

    def __init__(self, cause: Envelope) -> None:
        loop = asyncio.get_running_loop()
        self.cause = cause
        self.place = here()
        self.turn: asyncio.Future[PostgresUnit] = loop.create_future()
        self.left: asyncio.Future[bool] = loop.create_future()
        self.committed: asyncio.Future[None] = loop.create_future()

    async def work(self, connection: Connection, *, now: datetime) -> PostgresUnit | None:
        """Have the turn; give the finished unit, or `None` when it failed."""
        if self.turn.done():
            return None  # It was cancelled while its savepoint was made.
        unit = PostgresUnit(connection, now=now, cause=self.cause)
        self.turn.set_result(unit)
        return unit if await self.left else None

    def leave(self, *, is_well: bool) -> None:
        if not self.left.done():
            self.left.set_result(is_well)

    def settle(self, fault: Exception | None) -> None:
        """Tell whoever still waits how the group ended."""
        for future in (self.turn, self.committed):
            if not future.done() and fault is not None:
                future.set_exception(fault)
                # Nobody may be waiting any more, and that is no error.
                future.exception()
        if not self.committed.done():
            self.committed.set_result(None)


class GroupCommit:
    """Let units of work share commits, shop by shop."""

    def __init__(
        self,
        pool: Pool,
        *,
        clock: Callable[[], datetime],
        committed: Callable[[Sequence[Envelope]], None],
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._committed = committed
        self._careful = 0
        self._waiting: dict[ShopId, list[_Member]] = {}
        self._lanes: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def join(self, cause: Envelope) -> AsyncIterator[PostgresUnit]:
        """Take a turn in a group; when this returns, the group is committed."""
        member = _Member(cause)
        self._enlist(member, cause.event.shop_id)
        try:
            unit = await member.turn
            yield unit
        except BaseException:
            member.leave(is_well=False)
            raise
        member.leave(is_well=True)
        await member.committed

    def _enlist(self, member: _Member, shop_id: ShopId) -> None:
        waiting = self._waiting.get(shop_id)
        if waiting is not None:
            waiting.append(member)
            return
        self._waiting[shop_id] = [member]
        lane = asyncio.create_task(self._run(shop_id), name=f"lane-{shop_id}")
        self._lanes.add(lane)
        lane.add_done_callback(self._lanes.discard)

    async def _run(self, shop_id: ShopId) -> None:
        # Tasks that are ready now get in before the first group closes.
        await asyncio.sleep(0)
        while group := self._waiting[shop_id][:MOST]:
            self._waiting[shop_id] = self._waiting[shop_id][MOST:]
            fault: Exception | None = None
            try:
                with committing(
                    (it.place for it in group), system="postgresql", operation="COMMIT"
                ):
                    sealed = await self._commit(shop_id, group)
                self._committed(sealed)
            except Exception as exc:  # noqa: BLE001  # Every member learns what befell its group.
                fault = exc
            for member in group:
                member.settle(fault)
        del self._waiting[shop_id]

    async def _commit(self, shop_id: ShopId, group: Sequence[_Member]) -> list[Envelope]:
        now = self._clock()
        sealed: list[Envelope] = []
        self._careful = max(0, self._careful - 1)
        has_savepoints = self._careful > 0 and len(group) > 1
        async with self._pool.connection() as connection:
            await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (str(shop_id),)
            )
            new = await record_causes(connection, [member.cause for member in group], now=now)
            begun: set[str] = set()
            undone: list[Envelope] = []
            for member in group:
                if (refusal := _refusal(member.cause.id, new=new, begun=begun)) is not None:
                    member.settle(refusal)
                    continue
                begun.add(member.cause.id)
                if member.turn.done():
                    undone.append(member.cause)  # It was cancelled while it waited.
                    continue
                if has_savepoints:
                    await connection.execute("SAVEPOINT unit")
                unit = await member.work(connection, now=now)
                if unit is not None:
                    sealed += unit.sealed
                    continue
                self._careful = CAREFUL
                if not has_savepoints:
                    raise Conflict
                await connection.execute("ROLLBACK TO SAVEPOINT unit")
                undone.append(member.cause)
            await forget_causes(connection, undone)
            await save_outbox(connection, sealed, now=now)
        return sealed


def _refusal(cause_id: str, *, new: Collection[str], begun: Collection[str]) -> Exception | None:
    if cause_id not in new:
        return AlreadyHandled(cause_id)
    # The same message twice in one group: how the first one ends decides about the second.
    return Conflict() if cause_id in begun else None
