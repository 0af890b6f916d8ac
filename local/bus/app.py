"""The bus behind one address: two protocols, told apart by a header, and the control paths.

A request arrives, the faults have their say, the world changes, what changed is flushed to the
log, the answer leaves. Without a rule in force the faults cost one look at a flag.
"""

import asyncio
import json
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from local.bus.control import Control
from local.bus.errors import AwsError, ConnectionReset
from local.bus.faults import Fault, Point, Subject
from local.bus.forms import error_xml
from local.bus.http import Answer, Request
from local.bus.wire_sns import SnsWire, topic_of
from local.bus.wire_sqs import SqsWire, queue_of
from local.bus.world import World

JSON, XML = b"application/x-amz-json-1.0", b"text/xml"
_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Call:
    """An AWS request, read: what to do and with what."""

    is_sqs: bool
    action: str
    params: dict[str, Any]
    base: str

    @property
    def queue(self) -> str:
        """Give the queue or topic that it is about."""
        return queue_of(self.params) if self.is_sqs else topic_of(self.params)


class Bus:
    """Answer SDKs at `/`, and people and tests at `/health` and `/_control/`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sqs = SqsWire(world)
        self._sns = SnsWire(world)
        self._control = Control(world)

    def __call__(self, request: Request) -> Answer | Awaitable[Answer]:
        """Serve one request, at once where nothing has to be waited for."""
        if request.method != "POST" or request.path.startswith("/_control/"):
            return self._control(request)
        is_sqs = bool(request.target)
        try:
            call = _read(request, is_sqs=is_sqs)
            if self._world.faults.is_armed:
                return self._misbehave(call)
            return self._act(call)
        except AwsError as exc:
            return _refusal(exc, is_sqs=is_sqs)

    def _act(self, call: Call) -> Answer | Coroutine[Any, Any, Answer]:
        try:
            if not call.is_sqs:
                return Answer(200, XML, self._sns.handle(call.action, call.params).encode())
            content = self._sqs.handle(call.action, call.params, call.base)
            if not isinstance(content, dict):
                return self._act_later(content)
            return Answer(200, JSON, _encode(content).encode())
        except AwsError as exc:
            return _refusal(exc, is_sqs=call.is_sqs)
        finally:
            self._world.flush()

    async def _act_later(self, content: Coroutine[Any, Any, dict[str, Any]]) -> Answer:
        try:
            return Answer(200, JSON, _encode(await content).encode())
        finally:
            self._world.flush()

    async def _misbehave(self, call: Call) -> Answer:
        subject = Subject(action=call.action, queue=call.queue)
        fault = self._world.faults.strike(Point.REQUEST, subject)
        if fault is None:
            return await self._acted(call)
        self._world.journal.add("fault", call.queue, "", f"{fault.kind} {call.action}")
        if fault.kind == "slow" and not fault.is_after:
            await asyncio.sleep(fault.seconds)
        if fault.kind == "slow" or fault.is_after:
            answer = await self._acted(call)
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds if fault.is_after else 0)
            return answer
        if fault.kind == "reset":
            raise ConnectionReset
        return _refusal(_outage(fault, is_sqs=call.is_sqs), is_sqs=call.is_sqs)

    async def _acted(self, call: Call) -> Answer:
        answer = self._act(call)
        return answer if isinstance(answer, Answer) else await answer


def _read(request: Request, *, is_sqs: bool) -> Call:
    if request.body is None:
        raise AwsError("RequestEntityTooLarge", "the body is too long", status=413)
    if is_sqs:
        service, _, action = request.target.partition(".")
        if service != "AmazonSQS":
            raise AwsError("UnknownOperationException", "", status=404)
        return Call(is_sqs, action, _json(request.body), f"http://{request.host}")
    form = _form(request.body)
    return Call(is_sqs, form.get("Action", ""), form, "")


def _json(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body or b"{}")
    except (ValueError, RecursionError) as exc:
        raise AwsError("SerializationException", "the body is not JSON") from exc
    if not isinstance(content, dict):
        raise AwsError("SerializationException", "the body is not a JSON object")
    return content


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=2000))
    except ValueError as exc:
        raise AwsError("MalformedQueryString", "the body is not a form") from exc


def _outage(fault: Fault, *, is_sqs: bool) -> AwsError:
    if fault.kind == "throttle":
        code = "ThrottlingException" if is_sqs else "Throttling"
        return AwsError(
            fault.code or code, fault.message or "Rate exceeded", status=fault.status or 400
        )
    code, status = ("ServiceUnavailable", 503) if is_sqs else ("InternalError", 500)
    return AwsError(
        fault.code or code,
        fault.message or "Service is unable to handle request.",
        status=fault.status or status,
        is_sender_fault=fault.is_sender_fault,
    )


def _refusal(error: AwsError, *, is_sqs: bool) -> Answer:
    if not is_sqs:
        return Answer(error.status, XML, error_xml(error).encode())
    family = "com.amazon.coral.service" if error.code in _CORAL else "com.amazonaws.sqs"
    content = {"__type": f"{family}#{error.code}", "message": error.message}
    # botocore takes the codes of the old query protocol from this header.
    whose = "Sender" if error.is_sender_fault else "Receiver"
    header = f"x-amzn-query-error: {_QUERY_CODES.get(error.code, error.code)};{whose}\r\n"
    return Answer(error.status, JSON, _encode(content).encode(), header.encode("latin-1"))


_CORAL = frozenset({"UnknownOperationException", "SerializationException", "ThrottlingException"})
_OLD = "AWS.SimpleQueueService."
_QUERY_CODES = {"QueueDoesNotExist": f"{_OLD}NonExistentQueue"} | {
    code: f"{_OLD}{code}"
    for code in (
        "BatchEntryIdsNotDistinct",
        "BatchRequestTooLong",
        "EmptyBatchRequest",
        "InvalidBatchEntryId",
        "MessageNotInflight",
        "TooManyEntriesInBatchRequest",
        "UnsupportedOperation",
    )
}
