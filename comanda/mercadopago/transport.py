"""One provider call: deadline, budget, bounded retries of the same bytes, and its log line."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import urllib3

from comanda.mercadopago.budget import CallBudget
from comanda.mercadopago.errors import (
    MercadoPagoRefused,
    MercadoPagoUnauthorized,
    MercadoPagoUnavailable,
    ResourceNotFound,
)
from comanda.mercadopago.reading import UnreadablePayload, error_code
from comanda.mercadopago.retries import TRIES, Fault, Verb, fault_of, pause, retry_after
from comanda.tracing import switch

log = logging.getLogger(__name__)
T = TypeVar("T")
_TIMEOUT = urllib3.Timeout(connect=3.0, read=10.0)
DEADLINE_SECONDS = 20.0
# A page of a search is some hundred kilobytes; compressed, an answer could be anything.
LARGEST_ANSWER = 8 * 1024 * 1024
_PART = 64 * 1024
# A caller waits this long for its turn; beyond that its message waits in the queue instead.
BUDGET_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """What is sent; a write names its idempotency key."""

    verb: Verb
    method: str
    path: str
    body: bytes | None = None
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def all_headers(self, token: str) -> dict[str, str]:
        """Give the headers as they go out."""
        headers = {**self.headers, "Authorization": f"Bearer {token}"}
        if self.key is not None:
            headers["X-Idempotency-Key"] = self.key
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        return headers


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    request_id: str
    retry_after: timedelta | None


class Transport:
    """Send calls in the name of one account, over one pool of connections; safe for threads."""

    def __init__(
        self,
        base_url: str,
        access_token: str,
        *,
        budgets: Mapping[Verb, CallBudget] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._token = access_token
        # One host, so one pool: a manager of pools would look for it anew at every call.
        self._pool = urllib3.connection_from_url(
            self._base_url, maxsize=32, block=False, timeout=_TIMEOUT
        )
        self._prefix = urlsplit(self._base_url).path
        self._budgets = budgets or {}
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"Transport({self._base_url!r})"

    def send(self, call: Call, *, read: Callable[[Answer], T]) -> T:
        """Make a call until it has an answer that `read` understands, or raise what stopped it."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        tries = 0
        while True:
            self._wait_for_turn(call)
            tries += 1
            outcome = self._try(call, read=read, tries=tries)
            if not isinstance(outcome, _Failure):
                return outcome.value
            wait = pause(tries, outcome.retry_after)
            is_last = tries >= TRIES[call.verb][outcome.fault]
            if is_last or time.monotonic() + wait > deadline:
                raise MercadoPagoUnavailable(
                    f"{outcome.detail} after {tries} tries",
                    request_id=outcome.request_id,
                    retry_after=outcome.retry_after,
                )
            self._sleep(wait)

    def _wait_for_turn(self, call: Call) -> None:
        budget = self._budgets.get(call.verb)
        if budget is None:
            return
        wait = budget.draw(patience=BUDGET_PATIENCE_SECONDS)
        if wait > BUDGET_PATIENCE_SECONDS:
            raise MercadoPagoUnavailable(
                "our own budget of calls is spent", retry_after=timedelta(seconds=wait)
            )
        if wait:
            self._sleep(wait)

    def _try(
        self, call: Call, *, read: Callable[[Answer], T], tries: int
    ) -> "_Success[T] | _Failure":
        answer = self._exchange(call)
        if isinstance(answer, _Failure):
            _log_failure(call, answer, tries=tries)
            return answer
        fault = fault_of(answer.status)
        if fault is None:
            _raise_refusal(call, answer)
            try:
                value = read(answer)
            except UnreadablePayload as exc:
                fault, detail = Fault.UNREADABLE, f"unreadable answer: {exc}"
            else:
                log.debug("provider answered", extra=_facts(call, answer.request_id, tries))
                return _Success(value)
        else:
            detail = f"status {answer.status}"
        failure = _Failure(
            fault, detail, request_id=answer.request_id, retry_after=answer.retry_after
        )
        _log_failure(call, failure, tries=tries)
        return failure

    def _exchange(self, call: Call) -> "Answer | _Failure":
        spans = switch.spans
        if spans is None:
            return self._ask(call)
        with spans.calling(call.method, self._base_url + call.path) as ending:
            answer = self._ask(call)
            ending(answer.fault.value if isinstance(answer, _Failure) else answer.status)
            return answer

    def _ask(self, call: Call) -> "Answer | _Failure":
        try:
            response: Any = self._pool.urlopen(
                call.method,
                self._prefix + call.path,
                body=call.body,
                headers=call.all_headers(self._token),
                # Retries are ours: only with the same bytes and key, and within the deadline.
                retries=False,
                redirect=False,
                preload_content=False,
            )
            body = _body_of(response)
        except (
            urllib3.exceptions.NewConnectionError,
            urllib3.exceptions.ConnectTimeoutError,
        ) as exc:
            return _Failure(Fault.UNREACHABLE, type(exc).__name__)
        except urllib3.exceptions.HTTPError as exc:
            return _Failure(Fault.DROPPED, type(exc).__name__)
        if body is None:
            return _Failure(Fault.DROPPED, "an answer too large or too slow")
        return Answer(
            status=response.status,
            body=body,
            request_id=(response.headers.get("x-request-id") or "")[:128],
            retry_after=retry_after(response.headers.get("Retry-After")),
        )


def _body_of(response: Any) -> bytes | None:
    """Read an answer, unpacked; nothing when it outgrows or outlasts what an answer may."""
    until = time.monotonic() + DEADLINE_SECONDS
    parts: list[bytes] = []
    size = 0
    # One read of the socket at a time: a drop every few seconds must not outlast the deadline.
    while part := response.read1(_PART, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > LARGEST_ANSWER or time.monotonic() > until:
            # What is left unread must not be taken for the answer to the next call.
            response.close()
            return None
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class _Success(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class _Failure:
    fault: Fault
    detail: str
    request_id: str = ""
    retry_after: timedelta | None = None


def _raise_refusal(call: Call, answer: Answer) -> None:
    if 200 <= answer.status < 300:
        return
    code, request_id = error_code(answer.body), answer.request_id
    log.info(
        "provider refused",
        extra={**_facts(call, request_id), "status": answer.status, "code": code},
    )
    if answer.status == 404:
        raise ResourceNotFound(code, request_id=request_id)
    if answer.status in (401, 403):
        raise MercadoPagoUnauthorized(f"{code} ({answer.status})", request_id=request_id)
    if 400 <= answer.status < 500:
        raise MercadoPagoRefused(code, answer.status, request_id=request_id)
    # A redirect or an interim answer: nothing was promised to us, so nothing is concluded.
    raise MercadoPagoUnavailable(f"status {answer.status}", request_id=request_id)


def _log_failure(call: Call, failure: _Failure, *, tries: int) -> None:
    facts = {**_facts(call, failure.request_id, tries), "fault": failure.fault.value}
    log.warning("provider call failed", extra={**facts, "detail": failure.detail})


def _facts(call: Call, request_id: str, tries: int = 1) -> dict[str, object]:
    # The query of a search holds nothing but our own dates and ids.
    return {"method": call.method, "path": call.path, "request_id": request_id, "tries": tries}
