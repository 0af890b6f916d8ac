"""Redrive everything, in a process that a test can kill; run with the two queues' URLs."""

import asyncio
import sys
from datetime import UTC, datetime

from comanda.messaging.dead_letters import SQSDeadLetters
from comanda.messaging.redrive import Pace, RedriveOrder, redrive
from workers.runtime.aws import aws_client


async def main(url: str, dlq_url: str) -> None:
    async with aws_client("sqs") as client:
        letters = SQSDeadLetters(client, url=url, dlq_url=dlq_url)
        order = RedriveOrder(by="ana")
        await redrive(letters, order, now=lambda: datetime.now(UTC), pace=Pace(10_000))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
