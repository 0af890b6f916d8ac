"""The spans of one order out of a file of all, and their waterfall."""

import json
from pathlib import Path

from comanda.traceparent import landmark_of
from console.traces import At, KeptSpan, read_spans, spans_of, waterfall

ORDER, OTHER = "order-1", "order-2"


def span(
    at: At, *, parent: str = "", links: tuple[At, ...] = (), kind: str = "PRODUCER", begin: int = 0
) -> str:
    """Write a span as the collector does."""
    return json.dumps(
        {
            "service": "orders",
            "name": f"{kind} {at[1]}",
            "kind": kind,
            "trace": at[0],
            "span": at[1],
            "parent": parent,
            "links": [{"trace": link[0], "span": link[1]} for link in links],
            "begin": begin,
            "end": begin + 5,
            "failed": False,
            "attributes": {},
        }
    )


def mark(order_id: str) -> At:
    known = landmark_of(order_id)
    return known.trace_id, known.span_id


def kept(tmp_path: Path, *lines: str) -> dict[At, KeptSpan]:
    file = tmp_path / "spans.jsonl"
    file.write_text("".join(f"{line}\n" for line in lines) + '{"half')
    return read_spans(file)


def test_a_batch_that_orders_share_stands_beside_each_and_leads_to_none(tmp_path: Path) -> None:
    one, other = ("a", "1"), ("b", "1")
    batch = span(("a", "9"), parent="1", links=(one, other), kind="CLIENT", begin=3)
    spans = kept(
        tmp_path,
        span(one, begin=1),
        span(other, begin=2),
        batch,
        batch,
        span(mark(ORDER), links=(one,), kind="INTERNAL", begin=4),
        span(mark(OTHER), links=(other,), kind="INTERNAL", begin=5),
    )

    assert [it.at for it in spans_of(ORDER, spans)] == [one, ("a", "9"), mark(ORDER)]
    assert [it.at for it in spans_of(OTHER, spans)] == [other, ("a", "9"), mark(OTHER)]
    assert spans_of("order-3", spans) == []


def test_what_came_later_is_found_with_all_that_led_to_it(tmp_path: Path) -> None:
    placed, notified, told, applied = ("a", "1"), ("l", "1"), ("c", "1"), ("c", "2")
    spans = kept(
        tmp_path,
        span(placed, begin=1),
        span(mark(ORDER), links=(placed,), kind="INTERNAL", begin=1),
        span(notified, begin=5),
        span(told, links=(notified,), kind="CONSUMER", begin=6),
        span(applied, parent="1", links=(mark(ORDER),), begin=7),
    )

    rows = waterfall(spans_of(ORDER, spans))

    assert [(row.span.at, row.depth, row.is_linked) for row in rows] == [
        (placed, 0, False),
        (mark(ORDER), 1, True),
        (notified, 0, False),
        (told, 1, True),
        (applied, 2, False),
    ]
