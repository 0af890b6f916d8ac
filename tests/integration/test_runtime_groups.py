"""Many messages, one commit, on a real PostgreSQL: nobody is carried along by a neighbour."""

import asyncio

import psycopg
import pytest
from opentelemetry.trace import SpanKind

from comanda.envelope import Envelope
from comanda.messaging.memory import InMemoryPublisher
from comanda.messaging.ports import Message
from comanda.tracing import switch
from tests import runtime_groups
from tests.runtime_groups import (
    ANA,
    BETO,
    apply,
    caused,
    clock,
    effects,
    persist,
    take_effect,
    tasks,
    together,
    units_on,
)
from tests.spans_kept import at, kept_spans, links_of
from workers.runtime.errors import AlreadyHandled, Conflict, StoreUnavailable
from workers.runtime.group_commit import CAREFUL
from workers.runtime.postgres import PostgresUnits
from workers.runtime.postgres_pool import Pool

dsn = runtime_groups.dsn
pool = runtime_groups.pool

OTHERS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


async def test_messages_that_arrive_together_share_a_commit(pool: Pool) -> None:
    publisher = InMemoryPublisher()
    units = PostgresUnits(pool, publisher=publisher, clock=clock)

    await together(*tasks(units, [caused(n) for n in range(50)]))
    await units.drain()

    found = await effects(pool)
    assert len(found) == 50
    assert len(set(found.values())) == 1
    assert {envelope.causation_id for envelope in publisher.published} == set(found)


async def test_a_shared_commit_is_one_span_linked_to_every_message_of_it(pool: Pool) -> None:
    units = units_on(pool)
    with kept_spans() as kept:

        async def handle(cause: Envelope) -> None:
            message = Message(id=cause.id, body=cause.to_json(), receipt="r", receive_count=1)
            assert switch.spans is not None
            with switch.spans.handling(message, context="orders"):
                async with units.begin(cause) as unit:
                    await take_effect(unit, cause)

        await together(*(handle(caused(n)) for n in range(5)))

    handled = [at(span) for span in kept.of(SpanKind.CONSUMER)]
    commit = kept.named("COMMIT")
    assert sorted(links_of(commit)) == sorted(handled)
    assert len(handled) == 5


async def test_a_unit_that_fails_takes_nobody_along(pool: Pool) -> None:
    units = units_on(pool)
    causes = [caused(n) for n in range(10)]
    works = [
        persist(units, cause, fault=ValueError("bad") if n % 3 == 0 else None)
        for n, cause in enumerate(causes)
    ]

    answers = await asyncio.gather(*works, return_exceptions=True)

    assert [type(answer) for answer in answers if answer] == [ValueError] * 4
    assert set(await effects(pool)) == {c.id for n, c in enumerate(causes) if n % 3}


async def test_after_a_failure_the_next_groups_lose_only_who_fails(pool: Pool) -> None:
    units = units_on(pool)
    with pytest.raises(ValueError, match="bad"):
        await apply(units, caused(0), fault=ValueError("bad"))
    causes = [caused(n) for n in range(1, 7)]
    failing = [asyncio.ensure_future(apply(units, c, fault=ValueError("bad"))) for c in causes[:3]]
    fine = [asyncio.ensure_future(apply(units, cause)) for cause in causes[3:]]

    answers = await together(*failing[:2], *fine[:2], failing[2], fine[2])

    # Nobody was told to come again, and the one commit holds all that is well.
    assert [type(answer) for answer in answers if answer] == [ValueError] * 3
    found = await effects(pool)
    assert set(found) == {cause.id for cause in causes[3:]}
    assert len(set(found.values())) == 1


async def test_careful_groups_end_when_nobody_fails_any_more(pool: Pool) -> None:
    units = units_on(pool)
    with pytest.raises(ValueError, match="bad"):
        await apply(units, caused(0), fault=ValueError("bad"))
    for number in range(CAREFUL):
        await apply(units, caused(number))

    first, second = await together(
        asyncio.ensure_future(apply(units, caused(1))),
        asyncio.ensure_future(apply(units, caused(2), fault=ValueError("bad"))),
    )

    assert isinstance(first, Conflict)
    assert isinstance(second, ValueError)


async def test_a_statement_that_fails_takes_nobody_along(pool: Pool) -> None:
    units = units_on(pool)

    async def wrong(cause: Envelope) -> None:
        async with units.begin(cause) as unit:
            await unit.connection.execute("SELECT 1 / 0")

    good = [caused(n) for n in range(4)]
    answers = await together(
        *tasks(units, good[:2]), asyncio.ensure_future(wrong(caused(9))), *tasks(units, good[2:])
    )

    assert [type(answer) for answer in answers if answer] == [psycopg.errors.DivisionByZero]
    assert set(await effects(pool)) == {cause.id for cause in good}


async def test_what_failed_may_come_again(pool: Pool) -> None:
    units = units_on(pool)
    cause = caused(1)
    with pytest.raises(ValueError, match="bad"):
        await apply(units, cause, fault=ValueError("bad"))

    await apply(units, cause)

    assert set(await effects(pool)) == {cause.id}
    with pytest.raises(AlreadyHandled):
        await apply(units, cause)


async def test_the_same_message_twice_in_a_group_has_one_effect(pool: Pool) -> None:
    units = units_on(pool)
    cause = caused(1)

    twins = [asyncio.ensure_future(apply(units, cause)) for _ in range(2)]
    first, second = await together(*twins)

    assert first is None
    # It cannot be called handled before the first is committed, so it comes again.
    assert isinstance(second, Conflict)
    with pytest.raises(AlreadyHandled):
        await apply(units, cause)


async def test_the_twin_of_a_message_that_fails_is_not_lost(pool: Pool) -> None:
    units = units_on(pool)
    cause = caused(1)
    failing = asyncio.ensure_future(apply(units, cause, fault=ValueError("bad")))

    first, second = await together(failing, asyncio.ensure_future(apply(units, cause)))

    assert isinstance(first, ValueError)
    assert isinstance(second, Conflict)
    await apply(units, cause)
    assert set(await effects(pool)) == {cause.id}


async def test_a_group_whose_connection_dies_never_happened(pool: Pool) -> None:
    units = units_on(pool)
    good, last = [caused(n) for n in range(5)], caused(8)

    async def killed(cause: Envelope) -> None:
        async with units.begin(cause) as unit:
            await take_effect(unit, cause)
            await unit.connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    answers = await together(
        *tasks(units, good), asyncio.ensure_future(killed(caused(9))), *tasks(units, [last])
    )

    assert [type(answer) for answer in answers if answer] == [StoreUnavailable]
    assert set(await effects(pool)) == {cause.id for cause in good} | {last.id}


async def test_whoever_gives_up_waiting_for_a_turn_leaves_the_group_whole(pool: Pool) -> None:
    units = units_on(pool)
    causes = [caused(n) for n in range(6)]
    works = tasks(units, causes)
    await asyncio.sleep(0)
    works[3].cancel()

    answers = await together(*works)

    assert isinstance(answers[3], asyncio.CancelledError)
    assert set(await effects(pool)) == {c.id for n, c in enumerate(causes) if n != 3}
    await apply(units, causes[3])
    assert causes[3].id in await effects(pool)


async def test_groups_of_two_processes_do_not_deadlock(pool: Pool) -> None:
    pods = [units_on(pool), units_on(pool)]

    async def sell(units: PostgresUnits, name: str, number: int) -> None:
        async with units.begin(caused(number)) as unit:
            await unit.connection.execute(
                "UPDATE stock SET sold = sold + 1 WHERE name = %s", (name,)
            )

    def orders(units: PostgresUnits, *names: str) -> list[asyncio.Future[None]]:
        return [asyncio.ensure_future(sell(units, name, n)) for n, name in enumerate(names)]

    for _ in range(20):
        answers = await together(
            *orders(pods[0], "coxinha", "suco"), *orders(pods[1], "suco", "coxinha")
        )
        assert answers == [None] * 4
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT name, sold FROM stock ORDER BY name")
        rows = await cursor.fetchall()
    assert [(row["name"], row["sold"]) for row in rows] == [("coxinha", 40), ("suco", 40)]


async def test_a_shop_does_not_wait_for_another(pool: Pool) -> None:
    units = units_on(pool)
    began, may_end = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with units.begin(caused(1, shop=ANA)) as unit:
            await take_effect(unit, caused(1))
            began.set()
            await may_end.wait()

    waiting = asyncio.ensure_future(slow())
    await began.wait()
    await asyncio.wait_for(apply(units, caused(2, shop=BETO)), 5)
    may_end.set()
    await waiting


async def test_connections_that_a_restart_closed_are_not_handed_out(pool: Pool, dsn: str) -> None:
    units = units_on(pool)
    await together(*tasks(units, [caused(n, shop=shop) for n in range(9) for shop in (ANA, BETO)]))
    with psycopg.connect(dsn, autocommit=True) as other:
        other.execute(OTHERS.replace("count(*)", "pg_terminate_backend(pid)"))
        while other.execute(OTHERS).fetchone() != (0,):
            await asyncio.sleep(0.01)

    assert await together(*tasks(units, [caused(99), caused(98, shop=BETO)])) == [None, None]
