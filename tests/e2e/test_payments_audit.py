"""The operator's audit over a running laptop: it finds nothing, and it finds what is missing."""

import json
import subprocess
import sys
from pathlib import Path

import aiohttp

from local.demo.client import Shopper
from local.demo.doors import doors_of
from local.demo.load import drive
from local.supervisor import System


def audit(places: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "console", "audit", "--places", str(places), "--settle", "40"]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


async def test_the_audit_of_a_running_laptop_names_no_offender(system: System) -> None:
    doors = doors_of(system)
    async with aiohttp.ClientSession() as session:
        result = await drive(
            Shopper(session, doors), shops=doors.shops, orders=20, advance=lambda: None
        )

    made = audit(system.folder / "places.json")

    assert result.failures == ()
    assert made.returncode == 0, made.stdout + made.stderr


def test_an_audit_that_cannot_be_made_says_so(system: System, tmp_path: Path) -> None:
    content = json.loads((system.folder / "places.json").read_text())
    unknown = tmp_path / "places.json"
    unknown.write_text(json.dumps({**content, "simulator": None}))

    missing, blind = audit(tmp_path / "nowhere.json"), audit(unknown)

    assert (missing.returncode, blind.returncode) == (2, 2)
    assert "make run" in missing.stdout
    assert "provider's books" in blind.stdout.replace("\n", " ")
