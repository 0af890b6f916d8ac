"""Spans: who is whose child, who is linked to whom, and what stays out of them."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from comanda.envelope import Envelope, seal
from comanda.events import CustomerRegistered, Event, OrderPaid, OrderPlaced
from comanda.ids import CustomerId, OrderId, ShopId
from comanda.messaging.memory import InMemoryPublisher, InMemoryQueue
from comanda.money import Money
from comanda.traceparent import begun, landmark_of, parse
from comanda.tracing import switch
from tests.spans_kept import At, Kept, at, kept_spans, links_of
from workers.runtime import tracing
from workers.runtime.consumer import Consumer, ConsumerLimits, Handler
from workers.runtime.errors import InvalidMessage
from workers.runtime.serving import Serving
from workers.runtime.templates import template_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SHOP, ORDER = ShopId("lanchonete"), OrderId("01a1fea6-246f-7acb-811a-d4f9b9613497")
PAID = OrderPaid(shop_id=SHOP, order_id=ORDER)
PLACED = OrderPlaced(shop_id=SHOP, order_id=ORDER, customer_id=None, lines=(), total=Money(0))
LIMITS = ConsumerLimits(window=8, receivers=1, wait=timedelta(seconds=0.2))
CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def kept() -> Iterator[Kept]:
    with kept_spans() as kept:
        yield kept


def where(text: str | None) -> At:
    known = parse(text)
    assert known is not None
    return int(known.trace_id, 16), int(known.span_id, 16)


async def handled(
    envelopes: Sequence[Envelope], handler: Handler, *, attributes: bool = True
) -> InMemoryQueue:
    """Let a consumer handle these, and wait until none is left."""
    queue, count = InMemoryQueue(), len(envelopes)
    for envelope in envelopes:
        told = envelope.attributes if attributes else {}
        queue.send(envelope.to_json(), attributes=told)
    handlers = {type(envelope.event): handler for envelope in envelopes}
    consumer = Consumer(queue, handlers, context="orders", limits=LIMITS)
    task = asyncio.create_task(consumer.run())
    async with asyncio.timeout(10):
        while len(queue.deleted) < count:
            await asyncio.sleep(0.01)
        consumer.stop()
        await task
    return queue


async def fine(_: Envelope) -> None:
    return None


async def test_a_message_is_a_trace_of_its_own_linked_to_its_events_creation(kept: Kept) -> None:
    envelope = tracing.seal_traced(PAID, now=NOW, cause=None)

    await handled([envelope], fine)

    created = kept.named("create orders-events")
    handling = kept.named("process orders")
    assert (created.kind, handling.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert where(envelope.traceparent) == at(created)
    assert envelope.attributes["traceparent"] == envelope.traceparent
    assert handling.parent is None
    assert links_of(handling) == [at(created)]
    assert handling.attributes is not None
    assert handling.attributes["comanda.outcome"] == "handled"
    assert handling.attributes["comanda.order.id"] == ORDER


async def test_a_letter_that_lost_its_attributes_is_linked_by_its_envelope(kept: Kept) -> None:
    envelope = tracing.seal_traced(PAID, now=NOW, cause=None)

    await handled([envelope], fine, attributes=False)

    assert links_of(kept.named("process orders")) == [where(envelope.traceparent)]


async def test_what_a_handler_sends_is_its_child_whatever_runs_beside_it(kept: Kept) -> None:
    causes = [
        tracing.seal_traced(replace(PAID, order_id=OrderId(f"o-{n}")), now=NOW, cause=None)
        for n in range(4)
    ]
    sent: dict[str, Envelope] = {}

    async def send(cause: Envelope) -> None:
        await asyncio.sleep(0)
        event = replace(PAID, order_id=OrderId(cause.event.subject))
        sent[cause.id] = tracing.seal_traced(event, now=NOW, cause=cause)

    await handled(causes, send)

    handling = {links_of(span)[0]: span for span in kept.of(SpanKind.CONSUMER)}
    created = {at(span): span for span in kept.of(SpanKind.PRODUCER)}
    for cause in causes:
        parent = created[where(sent[cause.id].traceparent)].parent
        assert parent is not None
        assert (parent.trace_id, parent.span_id) == at(handling[where(cause.traceparent)])


async def test_a_refusal_is_named_and_its_text_stays_out(kept: Kept) -> None:
    async def refuse(_: Envelope) -> None:
        raise InvalidMessage("somebody is named here")

    envelope = tracing.seal_traced(PAID, now=NOW, cause=None)
    await handled([envelope], refuse)

    span = kept.named("process orders")
    assert span.attributes is not None
    assert (span.attributes["error.type"], span.status.status_code) == ("invalid", StatusCode.ERROR)
    assert "somebody" not in span.to_json()
    assert list(span.events) == []


async def test_a_batch_is_linked_to_every_event_and_stands_below_the_first(kept: Kept) -> None:
    envelopes = [tracing.seal_traced(PAID, now=NOW, cause=None) for _ in range(3)]
    publisher = tracing.traced_publisher(InMemoryPublisher(), topic_arn="arn:aws:sns:x:1:topic")

    await publisher.publish(envelopes)

    span = kept.named("publish_batch topic")
    assert span.kind is SpanKind.CLIENT
    assert span.parent is not None
    assert (span.parent.trace_id, span.parent.span_id) == where(envelopes[0].traceparent)
    assert links_of(span) == [where(it.traceparent) for it in envelopes]


async def test_an_order_has_a_landmark_that_whoever_comes_later_links_to(kept: Kept) -> None:
    publisher = tracing.traced_publisher(InMemoryPublisher(), topic_arn="topic")
    placed = tracing.seal_traced(PLACED, now=NOW, cause=None)
    await publisher.publish([placed])
    later = tracing.seal_traced(PAID, now=NOW, cause=None)
    soon = tracing.seal_traced(PAID, now=NOW, cause=placed)

    landmark = kept.named("order")
    created = {at(span): links_of(span) for span in kept.of(SpanKind.PRODUCER)}
    assert at(landmark) == where(str(landmark_of(ORDER)))
    assert links_of(landmark) == [where(placed.traceparent)]
    assert created[where(later.traceparent)] == [at(landmark)]
    # Whose cause is of the order already needs no other way to it.
    assert created[where(soon.traceparent)] == created[where(placed.traceparent)] == []


async def test_a_lambdas_span_is_told_by_its_reader_once(kept: Kept) -> None:
    context = begun(1)
    event = CustomerRegistered(shop_id=SHOP, customer_id=CustomerId("c-1"), email="ana@x.example")
    envelope = replace(seal(event, now=NOW), traceparent=str(context))

    await handled([envelope], fine)

    told = kept.named("create customers-events")
    assert at(told) == where(str(context)) == links_of(kept.named("process orders"))[0]
    assert told.resource.attributes["service.name"] == "customers-lambda"
    assert told.start_time == int(NOW.timestamp()) * 10**9
    written = "".join(span.to_json() for span in kept.all)
    assert "ana@x.example" not in written
    assert "c-1" not in written


@pytest.mark.parametrize("event", [PLACED, PAID])
async def test_what_a_trace_decided_at_its_beginning_holds_over_every_queue(event: Event) -> None:
    recorded = replace(seal(event, now=NOW), traceparent=CALLER)
    dropped = replace(seal(event, now=NOW), traceparent=f"{CALLER[:-2]}00")
    with kept_spans(ratio=0) as few:
        await handled([recorded, dropped], fine)
    with kept_spans(ratio=1) as many:
        await handled([recorded, dropped], fine)

    assert len(few.of(SpanKind.CONSUMER)) == len(many.of(SpanKind.CONSUMER)) == 1


async def test_a_request_continues_its_callers_trace_and_shows_no_id(kept: Kept) -> None:
    async def show(request: Request) -> PlainTextResponse:
        status = 500 if request.path_params.get("order") == "broken" else 200
        return PlainTextResponse("ana@example.com", status_code=status)

    routes = [Route("/orders/{order}", show), Route("/health/live", show)]
    assert switch.spans is not None
    app = Serving(Starlette(routes=routes), spans=switch.spans)
    await asked(app, "GET", "/orders/o-17", query="cpf=52998224725", traceparent=CALLER)
    await asked(app, "GET", "/orders/broken", traceparent="nonsense")
    await asked(app, "GET", "/orders", traceparent=CALLER)
    await asked(app, "BREW", "/nowhere")
    await asked(app, "GET", "/health/live")

    good, broken, unknown, brewed = kept.all
    assert good.parent is not None
    assert (good.parent.trace_id, good.parent.span_id) == where(CALLER)
    assert good.name == broken.name
    assert (broken.parent, broken.status.status_code) == (None, StatusCode.ERROR)
    assert (unknown.name, unknown.status.status_code) == ("GET", StatusCode.UNSET)
    assert brewed.name == "HTTP"
    written = "".join(span.to_json() for span in kept.all)
    assert not [word for word in ("o-17", "52998224725", "ana@", "BREW") if word in written]


async def asked(
    app: ASGIApp, method: str, path: str, *, query: str = "", traceparent: str = ""
) -> None:
    """Ask an app as a server does, and throw the answer away."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"traceparent", traceparent.encode())] if traceparent else [],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(_: object) -> None:
        return None

    await app(scope, receive, send)


def test_a_commit_is_linked_to_all_who_share_it(kept: Kept) -> None:
    assert switch.spans is not None
    places = []
    for number in range(2):
        with switch.spans.calling("GET", f"http://x/{number}"):
            places.append(tracing.here())

    with tracing.committing(iter(places), system="postgresql", operation="COMMIT"):
        pass

    commit, calls = kept.named("COMMIT"), kept.of(SpanKind.CLIENT)[:2]
    assert links_of(commit) == [at(call) for call in calls]
    assert commit.attributes is not None
    assert commit.attributes["db.operation.batch.size"] == 2


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/v1/orders", "/v1/orders"),
        ("/v1/orders/ORD01JABC?x=1", "/v1/orders/{id}"),
        ("/v1/payments/123456/refunds", "/v1/payments/{id}/refunds"),
        ("/v1/orders/a@b.example/cancel", "/v1/orders/{id}/cancel"),
    ],
)
def test_a_call_is_named_without_the_ids_of_its_path(kept: Kept, path: str, template: str) -> None:
    assert switch.spans is not None
    with switch.spans.calling("POST", f"https://api.example{path}") as ending:
        ending("dropped")

    (span,) = kept.all
    assert template_of(path.partition("?")[0]) == template
    assert span.name == f"POST {template}"
    assert span.attributes is not None
    assert span.attributes["url.full"] == f"https://api.example{template}"
    assert (span.attributes["server.port"], span.attributes["error.type"]) == (443, "dropped")
