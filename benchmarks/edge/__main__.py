"""Cold starts of the edge, beside a bare handler and apps as usual: `python -m benchmarks.edge`.

Every sample is a fresh interpreter on what `make package` ships. The machine may be busy, which
only adds; so the least of all rounds is held to the budgets, and medians are shown beside it. The
exit status is 1 when a budget is broken.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.edge.aws_stub import aws_stub
from benchmarks.edge.cases import (
    ARCHITECTURE,
    ISSUER,
    SHOP,
    Case,
    make_cases,
    signed_token,
    write_event,
)
from benchmarks.findings import Finding, tell
from local.packaging.package import SIZE_LIMIT

INIT_ABOVE_BARE_MS = 60.0
FIRST_REQUEST_MS = 100.0
CHILD = Path(__file__).parent / "child.py"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Milliseconds from the process's start to the loaded function, and of its first request."""

    init: float
    first: float

    @property
    def total(self) -> float:
        """Give the time to the first answer."""
        return self.init + self.first


def start_cold(case: Case, *, environment: Mapping[str, str]) -> Sample:
    """Start a fresh interpreter for one request."""
    variables = {
        **environment,
        "CHILD_KIND": case.kind,
        "CHILD_PATH": ":".join(str(part) for part in case.path),
    }
    began = time.monotonic()
    # -I, -S: neither this checkout nor the environment can help; -B: a Lambda writes no bytecode.
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(CHILD)],
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded, asked, answered = (float(part) for part in run.stdout.split()[-3:])
    return Sample(init=(loaded - began) * 1000, first=(answered - asked) * 1000)


def environment_of(url: str, *, event: Path, token: str) -> dict[str, str]:
    """Give what Lambda and the settings would."""
    issuers = {
        f"COMANDA_{kind}_{name}": value
        for kind in ("CUSTOMER", "STAFF", "GUEST")
        for name, value in (("ISSUER", ISSUER), ("JWKS_URL", url), ("CLIENT_ID", "web"))
    }
    return {
        **issuers,
        "COMANDA_STAFF_ISSUER": "https://staff.test",
        "COMANDA_GUEST_ISSUER": "https://guests.test",
        "COMANDA_STAGE": "bench",
        "COMANDA_SHOPS": SHOP,
        "COMANDA_TOPIC_ARN": "arn:aws:sns:sa-east-1:000000000000:comanda-bench-webhooks-events",
        "AWS_DEFAULT_REGION": "sa-east-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_ENDPOINT_URL": url,
        "POWERTOOLS_TRACE_DISABLED": "1",
        "PATH": os.environ["PATH"],
        "CHILD_EVENT": str(event),
        "CHILD_TOKEN": token,
    }


def measure(cases: list[Case], *, rounds: int, folder: Path) -> dict[str, list[Sample]]:
    """Sample all cases in turn, so that a busy moment meets each of them."""
    event, token = folder / "event.json", signed_token()
    write_event(event)
    samples: dict[str, list[Sample]] = defaultdict(list)
    with aws_stub(token.jwks) as url:
        environment = environment_of(url, event=event, token=token.text)
        for number in range(rounds + 1):
            for case in cases:
                sample = start_cold(case, environment=environment)
                if number:  # The first round fills the disk's cache.
                    samples[case.name].append(sample)
    return samples


def report(cases: list[Case], samples: Mapping[str, list[Sample]]) -> list[str]:
    """Print the table and the ratios; give the budgets that are broken."""
    print(f"{'least (median) ms':<34}{'init':>16}{'first request':>18}{'to first answer':>18}")
    for case in cases:
        cells = [
            f"{min(values):7.1f} ({statistics.median(values):6.1f})"
            for values in _columns(samples[case.name])
        ]
        print(f"{case.name:<34}{cells[0]:>16}{cells[1]:>18}{cells[2]:>18}")
    for app in ("webhooks", "auth"):
        ours, usual = samples[f"{app}: ours"], samples[f"{app}: as usual"]
        ratios = [
            min(theirs) / min(own)
            for own, theirs in zip(_columns(ours), _columns(usual), strict=True)
        ]
        print(f"{app}: as usual takes {ratios[0]:.1f} times our init, {ratios[2]:.1f} to answer")
        tell(_findings(app, ours=ours, usual=usual, bare=samples["bare handler"]))
    return _broken(cases, samples)


def _findings(
    app: str, *, ours: list[Sample], usual: list[Sample], bare: list[Sample]
) -> list[Finding]:
    init, answer = min(it.init for it in ours), min(it.total for it in ours)
    others = (("as usual", usual), ("bare Python", bare))
    return [
        Finding(
            what=f"{app}_lambda, cold: {what}",
            this=("comanda", figure),
            other=(name, min(getattr(it, field) for it in samples)),
            unit="ms",
        )
        for name, samples in others
        for what, field, figure in (
            ("init", "init", init),
            ("to the first answer", "total", answer),
        )
    ]


def _broken(cases: list[Case], samples: Mapping[str, list[Sample]]) -> list[str]:
    floor = min(sample.init for sample in samples["bare handler"])
    broken = []
    for case in cases:
        if not case.size:
            continue
        above = min(sample.init for sample in samples[case.name]) - floor
        first = min(sample.first for sample in samples[case.name])
        print(f"{case.name}: {case.size / 1_048_576:.2f} MiB, init {above:.1f} ms above bare")
        if above > INIT_ABOVE_BARE_MS:
            broken.append(f"{case.name}: init is {above:.0f} ms above bare Python's")
        if first > FIRST_REQUEST_MS:
            broken.append(f"{case.name}: the first authenticated request takes {first:.0f} ms")
        if case.size > SIZE_LIMIT:
            broken.append(f"{case.name}: the zip has {case.size} bytes")
    return broken


def _columns(samples: list[Sample]) -> tuple[list[float], list[float], list[float]]:
    return (
        [sample.init for sample in samples],
        [sample.first for sample in samples],
        [sample.total for sample in samples],
    )


def main(arguments: list[str]) -> int:
    """Build, measure, print; return 1 when a budget is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edge", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    chosen = parser.parse_args(arguments)
    architecture = ARCHITECTURE.get(platform.machine(), "x86_64")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = make_cases(folder, architecture=architecture)
        broken = report(cases, measure(cases, rounds=chosen.rounds, folder=folder))
    print("\n".join(broken) or "all budgets are kept")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
