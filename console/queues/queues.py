"""The queues of a stage by their contexts: how deep they are, and whether anybody receives."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from comanda.messaging.dead_letters import Caller, SQSDeadLetters
from comanda.messaging.ports import MessagingUnavailable
from comanda.settings import topology

_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_LOOKS = 3
# A consumer asks again at once while there is something, so it is never seen idle for so long.
_BETWEEN_LOOKS = 0.4


class NoSuchQueue(Exception):
    """No context of that name has a queue; the text names those that have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueState:
    """What SQS counts; `is_deserted` when messages wait and nobody has any in hand.

    An empty queue tells nothing about its consumers: `is_deserted` is false then, as it is where
    the last consumer died with messages in hand and their visibility has not run out.
    """

    context: str
    waiting: int
    in_hand: int
    delayed: int
    dead: int
    dead_in_hand: int
    is_deserted: bool

    @property
    def consumers(self) -> str:
        """Say in two words whether somebody receives."""
        if self.is_deserted:
            return "NO CONSUMER"
        return "receiving" if self.in_hand else "idle"


class Queues:
    """All input queues of a stage and their dead-letter queues."""

    def __init__(self, caller: Caller, *, stage: str) -> None:
        self._caller = caller
        self._stage = stage
        self._urls: dict[str, str] = {}

    @property
    def contexts(self) -> tuple[str, ...]:
        """Name the contexts that have a queue."""
        return tuple(sorted(n for n, it in topology()["contexts"].items() if "queue" in it))

    async def letters(self, context: str) -> SQSDeadLetters:
        """Open the dead letters of a context; raise `NoSuchQueue` or `MessagingUnavailable`."""
        url, dlq_url = await self._both(context)
        return SQSDeadLetters(self._caller, url=url, dlq_url=dlq_url)

    async def state(self, context: str, *, looks: int = _LOOKS) -> QueueState:
        """Look at a queue up to `looks` times until somebody is seen receiving."""
        url, dlq_url = await self._both(context)
        waiting, in_hand, delayed = await self._counts(url)
        is_deserted = waiting > 0 and not in_hand
        for _ in range(looks - 1):
            if not is_deserted:
                break
            await asyncio.sleep(_BETWEEN_LOOKS)
            left, in_hand, delayed = await self._counts(url)
            is_deserted, waiting = left >= waiting and not in_hand, left
        dead, dead_in_hand, _ = await self._counts(dlq_url)
        return QueueState(
            context=context,
            waiting=waiting,
            in_hand=in_hand,
            delayed=delayed,
            dead=dead,
            dead_in_hand=dead_in_hand,
            is_deserted=is_deserted,
        )

    async def states(self) -> list[QueueState]:
        """Look at all queues at once."""
        return list(await asyncio.gather(*(self.state(name) for name in self.contexts)))

    async def _both(self, context: str) -> tuple[str, str]:
        if context not in self.contexts:
            raise NoSuchQueue(f"no queue {context!r}; there are: {', '.join(self.contexts)}")
        name = f"{topology()['prefix']}-{self._stage}-{context}"
        return await self._url(name), await self._url(f"{name}-dlq")

    async def _url(self, name: str) -> str:
        if name not in self._urls:
            answer = await self._call("GetQueueUrl", {"QueueName": name})
            self._urls[name] = str(answer["QueueUrl"])
        return self._urls[name]

    async def _counts(self, url: str) -> tuple[int, int, int]:
        answer = await self._call(
            "GetQueueAttributes", {"QueueUrl": url, "AttributeNames": list(_COUNTS)}
        )
        found: Mapping[str, str] = answer.get("Attributes", {})
        visible, hidden, delayed = (int(found.get(name, "0")) for name in _COUNTS)
        return visible, hidden, delayed

    async def _call(self, action: str, params: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self._caller.call(action, params)
        except ClientError as exc:
            code = exc.response.get("Error", {}).get("Code", "unknown")
            raise MessagingUnavailable(f"{action} failed: {code}") from exc
        except (BotoCoreError, OSError) as exc:
            raise MessagingUnavailable(f"{action} failed: {type(exc).__name__}") from exc
