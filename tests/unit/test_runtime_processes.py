"""How many processes, one page of metrics for all, and the tie between parent and child."""

import asyncio
import os
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from workers.runtime.merged_metrics import merged
from workers.runtime.processes import wanted_processes
from workers.runtime.tie import VARIABLE, tied_to_parent

CORES = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("arguments", "environ", "expected"),
    [
        ([], {}, 1),
        ([], {"COMANDA_PROCESSES": "3"}, 3),
        ([], {"COMANDA_PROCESSES": ""}, 1),
        (["--processes", "2"], {"COMANDA_PROCESSES": "3"}, 2),
        (["--processes", "auto"], {}, CORES),
        ([], {"COMANDA_PROCESSES": "auto"}, CORES),
        # What a parent starts is one process, or it would start others without end.
        (["--processes", "8"], {VARIABLE: "5"}, 1),
    ],
)
def test_processes_are_asked_for_by_flag_or_variable(
    arguments: list[str], environ: dict[str, str], expected: int
) -> None:
    assert wanted_processes(arguments, environ) == expected


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5"])
def test_a_number_of_processes_that_makes_no_sense_is_refused(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refusal:
        wanted_processes(["--processes", text], {})

    assert refusal.value.code == 2
    assert "--processes" in capsys.readouterr().err


def page(*, handled: dict[str, float], in_hand: float, seconds: list[float]) -> str:
    registry = CollectorRegistry()
    counter = Counter("comanda_handled", "How many.", ["type"], registry=registry)
    for kind, value in handled.items():
        counter.labels(kind).inc(value)
    Gauge("comanda_in_hand", "In hand.", registry=registry).set(in_hand)
    histogram = Histogram("comanda_seconds", "How long.", registry=registry)
    for each in seconds:
        histogram.observe(each)
    return generate_latest(registry).decode()


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


label_values = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20)
pages = st.builds(
    page,
    handled=st.dictionaries(label_values, st.floats(0, 1e9), max_size=3),
    in_hand=st.floats(-1e6, 1e6),
    seconds=st.lists(st.floats(0, 100), max_size=5),
)


@given(given_pages=st.dictionaries(st.sampled_from(["0", "1", "parent"]), pages, max_size=3))
def test_the_merged_page_has_every_sample_of_every_process_and_no_other(
    given_pages: dict[str, str],
) -> None:
    expected = {
        (name, labels | {("process", process)}): value
        for process, text in given_pages.items()
        for (name, labels), value in samples(text).items()
    }

    assert samples(merged(given_pages).decode()) == expected


def test_a_family_is_described_once_however_many_processes_have_it() -> None:
    one = page(handled={"a": 1}, in_hand=1, seconds=[1])

    text = merged({"0": one, "1": one}).decode()

    assert text.count("# TYPE comanda_handled_total counter") == 1
    assert text.count("# TYPE comanda_seconds histogram") == 1


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, int]]:
    """Give the parent's end, and the number of the child's."""
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    with ours:
        yield ours, theirs.detach()


async def test_a_child_tells_its_port_and_beats(ends: tuple[socket.socket, int]) -> None:
    ours, number = ends
    async with tied_to_parent({VARIABLE: str(number)}) as tie:
        tie.tell_port(8123)
        await asyncio.sleep(0.01)
        heard = ours.recv(100)

    assert heard.replace(b".", b"") == b"8123\n"
    assert b"." in heard


async def test_a_child_is_told_that_its_parent_is_gone(ends: tuple[socket.socket, int]) -> None:
    ours, number = ends
    gone = asyncio.Event()
    async with tied_to_parent({VARIABLE: str(number)}) as tie:
        tie.when_parent_dies(gone.set)
        await asyncio.sleep(0.01)
        assert not gone.is_set()
        ours.close()
        await asyncio.wait_for(gone.wait(), 5)
        tie.tell_port(1)  # Nobody hears it, and that is no error.


async def test_a_parent_that_does_not_listen_holds_nobody(ends: tuple[socket.socket, int]) -> None:
    ours, number = ends
    async with tied_to_parent({VARIABLE: str(number)}) as tie:
        for _ in range(100_000):
            tie.tell_port(8123)
    assert ours.recv(10)


async def test_without_a_parent_there_is_nothing_to_tell() -> None:
    async with tied_to_parent({}) as tie:
        tie.tell_port(8123)
        tie.when_parent_dies(lambda: pytest.fail("there is no parent that could die"))
        await asyncio.sleep(0)
