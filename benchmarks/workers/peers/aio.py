"""aiobotocore: 16 pollers, a window of 400 messages in hand, coalesced deletes."""

import asyncio

import uvloop
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from handlers import QUEUE_URL, Handler

POLLERS, WINDOW, DELETE_AFTER = 16, 400, 0.005


class Deletes:
    """Gather receipts; send ten at once, or what there is after 5 ms."""

    def __init__(self, sqs, slots):
        self._sqs, self._slots = sqs, slots
        self._receipts, self._timer, self._tasks = [], None, set()

    def add(self, receipt):
        """Delete this one soon."""
        self._receipts.append(receipt)
        if len(self._receipts) == 10:
            self._flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DELETE_AFTER, self._flush)

    def _flush(self):
        if self._timer is not None:
            self._timer.cancel()
        receipts, self._receipts, self._timer = self._receipts, [], None
        task = asyncio.create_task(self._send(receipts))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, receipts):
        entries = [{"Id": str(i), "ReceiptHandle": r} for i, r in enumerate(receipts)]
        await self._sqs.delete_message_batch(QueueUrl=QUEUE_URL, Entries=entries)
        for _ in receipts:
            self._slots.release()


async def main():
    """Consume for ever."""
    config = AioConfig(max_pool_connections=2 * POLLERS, parameter_validation=False)
    async with Handler() as handler, get_session().create_client("sqs", config=config) as sqs:
        slots, tasks = asyncio.Semaphore(WINDOW), set()
        deletes = Deletes(sqs, slots)

        async def work(message):
            await handler(message["Body"])
            deletes.add(message["ReceiptHandle"])

        async def poll():
            while True:
                async with slots:
                    pass
                answer = await sqs.receive_message(
                    QueueUrl=QUEUE_URL, MaxNumberOfMessages=10, WaitTimeSeconds=20
                )
                for message in answer.get("Messages", []):
                    await slots.acquire()
                    task = asyncio.create_task(work(message))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)

        await asyncio.gather(*(poll() for _ in range(POLLERS)))


if __name__ == "__main__":
    uvloop.run(main())
