"""W3C Trace Context's `traceparent`: read, begun and passed on with the standard library alone.

The Lambdas have no SDK and export no span. A trace that one of them begins is marked: its span id
is the second half of its trace id, which tells whoever reads the message to tell of it instead.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from comanda.ids import OrderId

# Later versions may append fields; `ff` is none (W3C Trace Context, section 3.2).
_FORM = re.compile(
    r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII
)
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_SAMPLED = 0x01


@dataclass(frozen=True, kw_only=True, slots=True)
class TraceContext:
    """A span somewhere: 32 and 16 lower-case hexadecimal digits, and whether it is recorded."""

    trace_id: str
    span_id: str
    is_sampled: bool

    @property
    def is_untold(self) -> bool:
        """Tell whether a Lambda of ours began it, so that nobody has exported its span."""
        return self.span_id == self.trace_id[16:]

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.is_sampled else '00'}"


def parse(text: str | None) -> TraceContext | None:
    """Read a header or an envelope's field; whatever is not of the form is nothing."""
    found = _FORM.fullmatch(text) if text else None
    if found is None or (found[1] == "00" and found[5]):
        return None
    if found[2] == _NO_TRACE or found[3] == _NO_SPAN:
        return None
    is_sampled = bool(int(found[4], 16) & _SAMPLED)
    return TraceContext(trace_id=found[2], span_id=found[3], is_sampled=is_sampled)


def begun(ratio: float, *, entropy: Callable[[int], bytes] = os.urandom) -> TraceContext:
    """Begin a trace, recorded for a share of them (0 to 1) that the SDK's own sampler shares."""
    trace_id = entropy(16).hex()
    # `TraceIdRatioBased` decides by the same half of the same number.
    is_sampled = int(trace_id[16:], 16) < round(ratio * (1 << 64))
    return TraceContext(trace_id=trace_id, span_id=trace_id[16:], is_sampled=is_sampled)


def landmark_of(order_id: OrderId | str) -> TraceContext:
    """Give where the landmark of an order is: one span, whose ids follow from the order's."""
    digest = sha256(f"comanda order {order_id}".encode()).hexdigest()
    return TraceContext(trace_id=digest[:32], span_id=digest[32:48], is_sampled=True)


def passed_on(header: str | None, *, ratio: float) -> str | None:
    """Give what an envelope carries: the caller's context, else a new one where any is recorded."""
    context = parse(header) or (begun(ratio) if ratio else None)
    return None if context is None else str(context)
