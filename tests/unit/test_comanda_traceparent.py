"""`traceparent`: what is read, what is refused, what a Lambda begins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

from comanda.traceparent import begun, landmark_of, parse, passed_on

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE}-{SPAN}-01"


def test_a_header_is_read_and_written_back() -> None:
    known = parse(SAMPLED)

    assert known is not None
    assert (known.trace_id, known.span_id, known.is_sampled) == (TRACE, SPAN, True)
    assert str(known) == SAMPLED
    assert not known.is_untold


@pytest.mark.parametrize(
    ("text", "is_sampled"),
    [
        (f"00-{TRACE}-{SPAN}-00", False),
        # Flags that we do not know, and fields of a later version, change nothing.
        (f"00-{TRACE}-{SPAN}-fe", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like", True),
    ],
)
def test_the_flag_that_says_recorded_is_one_bit(text: str, *, is_sampled: bool) -> None:
    known = parse(text)

    assert known is not None
    assert known.is_sampled is is_sampled


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "00",
        SAMPLED.upper(),
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"{SAMPLED}-more",
        f"{SAMPLED}\n",
        f" {SAMPLED}",
        f"00-{TRACE[:-1]}٣-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
    ],
)
def test_what_is_not_of_the_form_is_nothing(text: str | None) -> None:
    assert parse(text) is None


@given(st.text(max_size=80))
def test_whatever_comes_is_read_or_is_nothing(text: str) -> None:
    known = parse(text)

    assert known is None or parse(str(known)) == known


@given(st.binary(min_size=16, max_size=16), st.floats(min_value=0, max_value=1))
def test_a_lambda_draws_as_the_sdk_would(drawn: bytes, ratio: float) -> None:
    context = begun(ratio, entropy=lambda _: drawn)

    sampler = TraceIdRatioBased(ratio)
    decided = sampler.should_sample(None, int.from_bytes(drawn), "any").decision
    assert context.is_sampled is decided.is_sampled()
    assert context.is_untold


def test_the_callers_context_goes_before_one_of_our_own() -> None:
    assert passed_on(SAMPLED, ratio=0) == passed_on(SAMPLED, ratio=1) == SAMPLED
    assert passed_on("nonsense", ratio=0) is None
    ours = parse(passed_on("nonsense", ratio=1))
    assert ours is not None
    assert (ours.is_sampled, ours.is_untold) == (True, True)


def test_a_landmark_is_found_by_the_order_alone() -> None:
    one, other = landmark_of("order-1"), landmark_of("order-2")

    assert one == landmark_of("order-1")
    assert one.trace_id != other.trace_id
    assert not one.is_untold
    assert parse(str(one)) == one
