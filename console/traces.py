"""The spans of one order out of all that were kept: what leads to it and what follows from it.

Spans lead to each other by parent and by link, both ways. A batch that orders share (a commit, a
publication) stands beside each of them and leads from none to another.
"""

import json
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from comanda.traceparent import landmark_of

# The ids of a trace and of a span in it.
At = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptSpan:
    """A span as `local.traces` keeps it; times are nanoseconds since 1970."""

    at: At
    parent: At | None
    links: tuple[At, ...]
    service: str
    name: str
    kind: str
    begin: int
    end: int
    has_failed: bool
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, line: str) -> Self:
        """Read one line."""
        it = json.loads(line)
        return cls(
            at=(it["trace"], it["span"]),
            parent=(it["trace"], it["parent"]) if it["parent"] else None,
            links=tuple((link["trace"], link["span"]) for link in it["links"]),
            service=it["service"],
            name=it["name"],
            kind=it["kind"],
            begin=it["begin"],
            end=it["end"],
            has_failed=it["failed"],
            attributes=it["attributes"],
        )

    @property
    def leads_to(self) -> tuple[At, ...]:
        """Give what it came from: its parent and its links."""
        return (self.parent, *self.links) if self.parent else self.links

    @property
    def is_shared(self) -> bool:
        """Tell whether it is a batch, which many orders may be in."""
        return self.kind == "CLIENT" and bool(self.links)


def read_spans(file: Path) -> dict[At, KeptSpan]:
    """Read all that was kept; a span that was sent twice is one."""
    with file.open() as lines:
        # The last line may be half written.
        spans = [KeptSpan.read(line) for line in lines if line.endswith("\n")]
    return {span.at: span for span in spans}


def spans_of(order_id: str, spans: Mapping[At, KeptSpan]) -> list[KeptSpan]:
    """Give all that is connected with an order's landmark, the earliest first."""
    followers: dict[At, list[At]] = defaultdict(list)
    for span in spans.values():
        for place in span.leads_to:
            followers[place].append(span.at)
    found: set[At] = set()
    landmark = landmark_of(order_id)
    ahead = deque([(landmark.trace_id, landmark.span_id)])
    while ahead:
        place = ahead.popleft()
        if place not in spans or place in found:
            continue
        found.add(place)
        if not spans[place].is_shared:
            ahead.extend((*spans[place].leads_to, *followers[place]))
    return sorted((spans[place] for place in found), key=lambda span: span.begin)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A span in the waterfall: how deep it stands, and below whom by a link instead of a parent."""

    span: KeptSpan
    depth: int
    is_linked: bool


def waterfall(spans: Sequence[KeptSpan]) -> list[Row]:
    """Put each span below its parent, else below the earliest of its links that is here."""
    here = {span.at: span for span in spans}
    below: dict[At | None, list[KeptSpan]] = defaultdict(list)
    for span in spans:
        below[_above(span, here)].append(span)
    rows: list[Row] = []
    ahead = deque((span, 0) for span in below[None])
    while ahead:
        span, depth = ahead.popleft()
        is_linked = depth > 0 and span.parent not in here
        rows.append(Row(span=span, depth=depth, is_linked=is_linked))
        ahead.extendleft((it, depth + 1) for it in reversed(below[span.at]))
    return rows


def _above(span: KeptSpan, here: Mapping[At, KeptSpan]) -> At | None:
    if span.parent in here:
        return span.parent
    known = [here[link] for link in span.links if link in here]
    return min(known, key=lambda it: it.begin).at if known else None
