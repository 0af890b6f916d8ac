"""Which traces are recorded: what OpenTelemetry's variables say, and whoever follows a link too.

Each message begins a trace of its own that links to its event's. Were each of them drawn anew, a
tenth of the traces would show a tenth of each order; so a link decides as a parent would.
"""

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    SamplingResult,
)
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes


class FollowsLinks(Sampler):
    """Decide about a message by its link; about all else as the sampler that is named."""

    def __init__(self, named: Sampler) -> None:
        self._named = named

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide whether this span is recorded."""
        chosen = self._named
        # `always_on`, `always_off` and a plain ratio follow nobody, by their own definition.
        if isinstance(chosen, ParentBased) and kind is SpanKind.CONSUMER and links:
            chosen = ALWAYS_ON if links[0].context.trace_flags.sampled else ALWAYS_OFF
        return chosen.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        """Name the sampler."""
        return f"FollowsLinks{{{self._named.get_description()}}}"
