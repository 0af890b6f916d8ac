"""The worker of the archive: every event of every topic arrives, objects and rows leave."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from comanda.clock import utc_now
from comanda.settings import read
from workers.archive.forgetting import Eraser
from workers.archive.handlers import HANDLERS
from workers.archive.objects import S3Objects, s3_client
from workers.archive.plan import listeners, retention
from workers.archive.replay_items import DynamoReplayBook, SQSSender
from workers.archive.replays import Replayer
from workers.archive.repository import DynamoIndex
from workers.archive.scribe import MOST, Scribe
from workers.archive.table import ArchiveTable
from workers.runtime.aws import aws_client, dynamodb_client
from workers.runtime.consumer import ConsumerLimits
from workers.runtime.service import Schedule, Worker, WorkerSettings, run_worker

# Nobody waits for the archive; fuller answers cost a third.
_REST = timedelta(milliseconds=500)
_LOOK_FOR_REPLAYS = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveWorkerSettings(WorkerSettings):
    """What the worker reads from its environment; it publishes nothing, so it needs no topic."""

    topic_arn: str = ""
    archive_table: str
    archive_bucket: str


class NothingToSend:
    """The outbox of a worker that publishes nothing."""

    async def sweep(self) -> int:
        """Find nothing."""
        return 0

    async def drain(self) -> None:
        """Have nothing in hand."""


async def build(stack: AsyncExitStack) -> Worker:
    """Connect what the worker needs; the stack closes it."""
    settings = read(ArchiveWorkerSettings)
    table = ArchiveTable(
        await stack.enter_async_context(dynamodb_client()), name=settings.archive_table
    )
    objects = S3Objects(
        await stack.enter_async_context(s3_client()), bucket=settings.archive_bucket
    )
    index = DynamoIndex(table, objects=objects, clock=utc_now, retention=retention())
    scribe = Scribe(index, objects, clock=utc_now)
    eraser = Eraser(index, objects)

    replayer = Replayer(
        DynamoReplayBook(table),
        objects=objects,
        sender=SQSSender(
            await stack.enter_async_context(aws_client("sqs")), own_url=settings.queue_url
        ),
        heard=listeners(),
        clock=utc_now,
    )

    async def probe() -> None:
        await index.ping()
        await objects.ping()

    return Worker(
        context="archive",
        settings=settings,
        handlers={
            event: partial(handle, keeper=scribe, forgetter=eraser)
            for event, handle in HANDLERS.items()
        },
        outbox=NothingToSend(),
        probe=probe,
        schedules=(Schedule(name="replays", every=_LOOK_FOR_REPLAYS, run=replayer.run_open),),
        # One group gathers while another is written; events of one order need not take turns.
        limits=ConsumerLimits(window=2 * MOST, receivers=4, takes_turns=False, rest=_REST),
    )


if __name__ == "__main__":
    run_worker(build)
