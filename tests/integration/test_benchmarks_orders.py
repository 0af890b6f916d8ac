"""The benchmarks of orders run as they are, on little: their claims are about a lot."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks.findings import VARIABLE, told
from benchmarks.orders import __main__ as beside
from benchmarks.orders import growth


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "findings"
    monkeypatch.setenv(VARIABLE, str(found))
    return found


def test_no_read_and_no_order_costs_more_when_the_table_is_longer(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["growth", "--few", "500", "--many", "1500"])

    status = growth.main()

    lines = told(file)
    assert status == 0, [line for line in lines if not line.is_kept]
    looked_at = {it.what: it.this[1] for it in lines if it.unit == "items"}
    assert looked_at == {
        "the panel: looked at": 20,
        "a customer's history: looked at": 20,
        "a page of a day: looked at": 20,
        "a page of a status: looked at": 20,
        "one call number: looked at": 1,
        "the regular's next order: looked at": 21,
    }


def test_our_api_and_the_bare_route_answer_the_same_load_on_one_table(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["orders", "--requests", "60", "--rounds", "1"])

    assert beside.main() == 0

    lines = told(file)
    assert len(lines) == 6
    assert all(line.this[1] >= 0 for line in lines), json.dumps([line.what for line in lines])
    latencies = [line for line in lines if "p50" in line.what]
    # We do more than the bare route, so being faster would mean that nothing was measured.
    assert all(line.ratio > 1 for line in latencies)
