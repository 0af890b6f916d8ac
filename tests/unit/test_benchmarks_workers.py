"""What the benchmark says is what was measured."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.workers.ceiling import Signer
from benchmarks.workers.consumers import CEILING, OURS, SUBJECTS
from benchmarks.workers.environments import LOCK, PEERS
from benchmarks.workers.exactly_once import Verdict
from benchmarks.workers.measure import Result, quantile
from benchmarks.workers.processes import cost_of, running
from benchmarks.workers.report import Setting, document, merged, save, table
from benchmarks.workers.soak import Vitals, grown, growth

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SETTING = Setting(at=NOW, versions={"boto3": "1.0"}, rounds=2, window=4.0)
MEASURED = Result(
    subject=OURS,
    handler="io",
    round_trip=0.01,
    messages=40_000,
    rate=10_000.0,
    cpu=0.08,
    store_cpu=0.0,
    peak_mb=40.0,
    bed_load=0.2,
    paced_rate=200.0,
    p50_ms=16.0,
    p99_ms=20.0,
    undeleted=0,
    delivered_again=0,
)
FLAWLESS = Verdict(
    messages=100,
    effects=100,
    distinct=100,
    unpublished=0,
    outbox_left=0,
    undeleted=0,
    rejected=0,
    last_exit=0,
    kills=3,
    duplicated=5,
    acknowledgements_lost=1,
    delivered=107,
    seconds=1.0,
)


def row_of(text: str, name: str) -> list[str]:
    line = next(line for line in text.splitlines() if name in line)
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_ratios_are_to_ours_and_to_the_ceiling() -> None:
    other = replace(MEASURED, subject="other", rate=2500.0, cpu=0.32)
    ceiling = replace(MEASURED, subject=CEILING, rate=20_000.0, cpu=0.02)

    text = table([other, MEASURED, ceiling])

    assert row_of(text, "| other")[1:6] == ["2,500", "0.12", "4.0x", "0.320", "0.25"]
    assert row_of(text, OURS)[1:4] == ["10,000", "0.50", "1.0x"]


def test_the_fastest_stands_first() -> None:
    slow, fast = replace(MEASURED, subject="slow", rate=1.0), replace(MEASURED, rate=2.0)

    lines = table([slow, fast]).splitlines()

    assert OURS in lines[2]
    assert "slow" in lines[3]


def test_a_busy_bed_is_confessed() -> None:
    text = document([replace(MEASURED, bed_load=0.9)], SETTING)

    assert "10,000 (b)" in text
    assert "the bed was nearly busy itself" in text


def test_messages_that_never_left_are_named() -> None:
    assert "(7 lost)" in table([replace(MEASURED, undeleted=7)])


def test_rounds_are_merged_by_their_median() -> None:
    rounds = [replace(MEASURED, rate=rate, p99_ms=None) for rate in (1.0, 9.0, 2.0)]

    (result,) = merged(rounds)

    assert result.rate == 2.0
    assert result.p99_ms is None
    assert result.subject == OURS


def test_cells_are_not_merged_with_each_other() -> None:
    assert len(merged([MEASURED, replace(MEASURED, round_trip=0.0)])) == 2


def test_the_page_says_when_and_of_which_versions(tmp_path: Path) -> None:
    save([MEASURED], SETTING, page=tmp_path / "page.md", data=tmp_path / "data.json")

    page = (tmp_path / "page.md").read_text()
    assert "2026-01-02" in page
    assert "boto3 1.0" in page
    assert '"rate": 10000.0' in (tmp_path / "data.json").read_text()


@pytest.mark.parametrize(("share", "expected"), [(0.5, 51.0), (0.99, 100.0), (0.0, 1.0)])
def test_a_quantile_is_one_of_the_measured(share: float, expected: float) -> None:
    hundred = [n / 1000 for n in range(1, 101)]

    assert quantile(hundred, share) == expected


def test_nothing_measured_has_no_quantile() -> None:
    assert quantile([], 0.5) is None


def test_the_ceiling_signs_as_botocore_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    head = Signer("127.0.0.1:5000").head("ReceiveMessage", b"{}", now=NOW).decode()
    headers = dict(line.split(": ", 1) for line in head.strip().split("\r\n")[1:])

    signer = SigV4Auth(Credentials("key", "secret"), "sqs", "sa-east-1")
    signed = {name: headers[name] for name in ("Host", "Content-Type", "X-Amz-Target")}
    request = AWSRequest("POST", "http://127.0.0.1:5000/", headers=signed, data=b"{}")
    request.context["timestamp"] = "20260102T030405Z"
    request.headers["X-Amz-Date"] = "20260102T030405Z"
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)

    assert headers["Authorization"].endswith(f"Signature={signature}")


def test_a_tree_costs_what_its_children_cost(tmp_path: Path) -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass\nprint(1, flush=True)\ninput()"
    parent = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {burn!r}],"
        " stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "child.stdout.readline(); print('burnt', flush=True); child.wait()"
    )
    command = (sys.executable, "-c", parent)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()

        assert cost_of(process.pid).cpu_seconds >= 0.25
        assert cost_of(process.pid).peak_mb > 5
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_nothing_of_a_measured_session_is_left(tmp_path: Path) -> None:
    stubborn = (
        "import signal, subprocess, sys, pathlib\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid))\n"
        "child.wait()"
    )
    log = tmp_path / "log"
    with running((sys.executable, "-c", stubborn), env=os.environ, log=log) as process:
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert process.poll() is None

    child = Path("/proc") / (tmp_path / "pid").read_text() / "stat"
    # A kill takes a moment; only the test's own deadline ends the wait for what is not killed.
    while is_running(child):
        os.sched_yield()
    assert process.returncode == 0


def is_running(stat: Path) -> bool:
    try:
        # Killed and not yet collected counts as gone.
        return ") Z " not in stat.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"effects": 101}, "effects are doubled"),
        ({"effects": 99, "distinct": 99}, "effects are missing"),
        ({"unpublished": 1}, "events were not published"),
        ({"outbox_left": 1}, "outbox rows are left"),
        ({"undeleted": 1}, "messages are left"),
        ({"rejected": 1}, "messages were rejected"),
        ({"last_exit": -9}, "the last worker did not leave well"),
        ({"kills": 0}, "nothing was killed, so nothing is proved"),
    ],
)
def test_each_way_to_fail_once_is_named(change: dict[str, int], fault: str) -> None:
    assert FLAWLESS.faults == []
    assert replace(FLAWLESS, **change).faults == [fault]


def vitals(memory: float, tasks: int) -> Vitals:
    return Vitals(deleted=0, memory_mb=memory, files=20, tasks=tasks, objects=1000)


def test_a_leak_is_named() -> None:
    leaking = [vitals(50.0 + n, 30) for n in range(50)]

    assert grown(growth(leaking)) == ["memory_mb"]


def test_a_steady_worker_has_not_grown() -> None:
    steady = [vitals(50.0 + n % 3, 30 + n % 7) for n in range(50)]

    assert grown(growth(steady)) == []


def test_the_locks_of_the_peers_name_no_host() -> None:
    python, node = LOCK.read_text(), (PEERS / "node" / "package-lock.json").read_text()

    assert "://" not in python
    assert python.count("--hash=sha256:") > 100
    assert "resolved" not in node
    # Funding pages of authors are in every package's manifest; a registry's files end in .tgz.
    assert not re.search(r"\.tgz", node)


def test_the_quick_run_has_ours_and_four_to_stand_beside() -> None:
    names = [subject.name for subject in SUBJECTS if subject.is_quick]

    assert {OURS, CEILING} < set(names)
    assert len(names) == 5
