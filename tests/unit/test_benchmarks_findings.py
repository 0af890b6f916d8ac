"""The one report says what was measured, and says so when something was not."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.__main__ import run
from benchmarks.findings import VARIABLE, Finding, tell, told
from benchmarks.growth import noisy, processes
from benchmarks.growth.noisy import Waits
from benchmarks.orders.filling import ON_BOARD, REGULAR, SHOP, made_orders
from benchmarks.orders.growth import Cost, findings
from benchmarks.page import Chapter, Setting, page
from benchmarks.road.__main__ import Road, keep
from benchmarks.road.__main__ import findings as road_findings
from benchmarks.road.push import Waits as Pushed
from benchmarks.scale.model import measured
from benchmarks.sections import SECTIONS, Section
from benchmarks.workers.measure import Result
from benchmarks.workers.processes import busy_cores
from workers.orders.items import order_item, order_of
from workers.orders.model import BOARD

LINE = Finding(
    what="a message: CPU",
    this=("many", 1.05),
    other=("few", 1.0),
    unit="ms",
    at_most=1.10,
)
BROKEN = replace(LINE, what="a read: CPU", this=("many", 1.2))
SECTION = Section(name="x", title="A section", shows="What it shows.", whole=(), quick=())
HERE = Setting(
    at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC), commit="abc1234", form="the whole", busy=0.5
)
CREW = Result(
    subject="crew",
    handler="io",
    round_trip=0.01,
    messages=1,
    rate=10_000.0,
    cpu=0.1,
    store_cpu=0.0,
    peak_mb=1.0,
    bed_load=0.2,
    paced_rate=0.0,
    p50_ms=None,
    p99_ms=None,
    undeleted=0,
    delivered_again=0,
)


def test_a_bound_is_kept_up_to_its_value_and_no_further() -> None:
    efficiency = replace(LINE, at_most=None, at_least=0.9)

    assert LINE.is_kept
    assert replace(LINE, this=("many", 1.10)).is_kept
    assert not BROKEN.is_kept
    assert replace(efficiency, this=("each of 2", 0.9)).is_kept
    assert not replace(efficiency, this=("each of 2", 0.89)).is_kept


def test_nothing_over_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no ratio"):
        replace(LINE, other=("few", 0.0))


def test_what_is_told_is_read_again_and_a_broken_bound_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "findings"
    monkeypatch.setenv(VARIABLE, str(file))

    assert tell([LINE])
    assert not tell([LINE, BROKEN])

    assert told(file) == [LINE, LINE, BROKEN]


def test_nobody_has_to_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    assert tell([LINE])
    assert told(tmp_path / "nothing") == []


def test_a_command_that_fails_or_hangs_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    quiet = ("timeit", "-n", "1", "-r", "1", "pass")
    hung = ("timeit", "-n", "1", "-r", "1", "-s", "import time", "time.sleep(60)")
    section = replace(SECTION, whole=(("no.such.module",), hung, quiet), seconds=3.0)

    chapter = run(section, is_quick=False, logs=tmp_path)

    assert len(chapter.faults) == 2
    assert "No module named" in chapter.faults[0]
    assert "was not done after 3 s" in chapter.faults[1]
    assert not chapter.is_good
    assert "1 loop, best of 1" in (tmp_path / "bench-x.log").read_text()


def test_a_command_that_falls_over_after_a_broken_bound_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    breaks = (
        "from benchmarks.findings import Finding, tell\n"
        "pair = {'this': ('a', 2), 'other': ('b', 1)}\n"
        "tell([Finding(what='x', unit='ms', at_most=1, **pair)])\n"
    )
    (tmp_path / "bench_breaks.py").write_text(f"{breaks}raise SystemExit(1)\n")
    (tmp_path / "bench_falls.py").write_text(f"{breaks}raise RuntimeError('boom')\n")

    bounded, fallen = (
        run(replace(SECTION, whole=((name,),)), is_quick=False, logs=tmp_path)
        for name in ("bench_breaks", "bench_falls")
    )

    assert (len(bounded.findings), bounded.faults, bounded.is_good) == (1, [], False)
    assert len(fallen.findings) == 1
    assert "RuntimeError: boom" in fallen.faults[0]


def test_the_page_shows_broken_bounds_faults_and_where_it_was() -> None:
    good = Chapter(section=SECTION, findings=[LINE, BROKEN], faults=[], seconds=2)
    failed = Chapter(section=SECTION, findings=[], faults=["`x` left with 1: boom"], seconds=1)

    text = page([good, failed], HERE)

    rows = [line for line in text.splitlines() if line.startswith("| a ")]
    assert rows == [
        "| a message: CPU | many: 1.05 | few: 1 | ms | **1.05** | at most 1.1 |",
        "| a read: CPU | many: 1.2 | few: 1 | ms | **1.20** | at most 1.1 **BROKEN** |",
    ]
    assert "**Failed:** `x` left with 1: boom" in text
    assert "2026-01-02 03:04 UTC at commit abc1234" in text
    assert not good.is_good
    assert not failed.is_good
    assert replace(good, findings=[LINE]).is_good


def test_every_section_has_a_whole_and_a_quick_form_of_modules_that_are_there() -> None:
    for section in SECTIONS:
        assert section.whole
        assert section.quick
        for module, *_ in (*section.whole, *section.quick):
            path = Path(__file__).parents[2] / module.replace(".", "/")
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_filled_orders_are_orders_of_ours() -> None:
    orders = list(made_orders(60))

    assert [order_of(order_item(order)) for order in orders] == orders
    assert sum(order.status in BOARD for order in orders) == ON_BOARD
    assert sum(order.owner == REGULAR for order in orders) == 3
    assert len({order.id for order in orders}) == 60
    assert {order.shop_id for order in orders} == {SHOP}


def test_a_read_that_looks_at_more_as_the_table_grows_is_found() -> None:
    flat = {10: Cost(calls=1, items=20, units=3.2), 1_000: Cost(calls=1, items=20, units=3.3)}
    grown = {**flat, 1_000: Cost(calls=1, items=23, units=3.3)}

    assert all(it.is_kept for it in findings({"board": flat}, few=10, many=1_000))
    broken = [it for it in findings({"board": grown}, few=10, many=1_000) if not it.is_kept]
    assert [it.what for it in broken] == ["board: looked at"]


def test_a_crew_is_held_to_its_bounds_only_where_each_has_a_core() -> None:
    slow = replace(CREW, rate=15_000.0)
    found = {1: CREW, 2: slow, 4: slow}

    roomy = processes.findings(found, cores=5)
    tight = processes.findings(found, cores=3)

    assert [it.is_kept for it in roomy] == [False, True, False, True]
    assert [it.ratio for it in roomy if it.at_least] == [0.75, 0.375]
    assert [it.at_least for it in tight] == [0.9, None, None, None]


def test_a_quiet_shop_that_waits_too_long_breaks_a_bound() -> None:
    def waits(beside: float) -> dict[str, Waits]:
        return {
            "alone": Waits(name="alone", p50=0.002, p99=0.005, left=0),
            "beside a backlog": Waits(name="beside", p50=beside, p99=beside * 2, left=9),
            "no groups": Waits(name="no groups", p50=2.0, p99=3.0, left=0),
        }

    assert all(it.is_kept for it in noisy.findings(waits(0.01)))
    late = noisy.findings(waits(1.5))
    assert [it.is_kept for it in late] == [False, False, True, False]


def test_the_road_is_told_in_shares_of_what_runs_on_aws(tmp_path: Path) -> None:
    road = Road(one=2.0, many=30.0, cpu={"orders": 10.0, "auth": 5.0, "bus": 4.0, "edge": 1.0})
    waits = Pushed(answered=[0.01, 0.02, 0.03], moved=[0.03, 0.04, 0.9])

    lines = road_findings(road, waits)
    keep(road, tmp_path / "measured.json", orders=7)

    shares = {it.this[0]: it.ratio for it in lines if it.other[0] == "all processes of ours"}
    assert shares == {"orders": pytest.approx(2 / 3), "auth": pytest.approx(1 / 3)}
    assert next(it.ratio for it in lines if it.other[0] == "all stand-ins") == 3.0
    assert [it.what for it in lines if not it.is_kept] == ["the screens' push, p99"]
    assert measured(tmp_path / "measured.json").cpu_ms == road.cpu


def test_a_busy_core_is_seen() -> None:
    assert 0.0 <= busy_cores(0.1) <= 1_000.0
