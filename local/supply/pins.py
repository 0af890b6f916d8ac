"""Read our locked requirement files: names, versions and hashes."""

import re
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:(?P<digest>[0-9a-f]{64})\b")


class UnpinnedRequirement(ValueError):
    """A locked file holds a line that is neither an exact pin nor a hash."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """One package at one version, and the digests of every file that may be it."""

    name: str
    version: str
    digests: tuple[str, ...]


def pins_in(path: Path) -> list[Pin]:
    """Read one locked file; raise `UnpinnedRequirement` for whatever is not pinned and hashed."""
    pins: list[Pin] = []
    for logical in path.read_text().replace("\\\n", " ").splitlines():
        line = logical.strip()
        if line and not line.startswith("#"):
            pins.append(_pin(line, path=path))
    return pins


def locked_files(root: Path) -> list[Path]:
    """List every locked requirement file of the repository, except that of peers in benchmarks."""
    return [
        *sorted(root.glob("requirements*.txt")),
        *sorted(root.glob("*_lambda/requirements.txt")),
    ]


def version_key(version: str) -> tuple[int, ...]:
    """Give what orders two plain versions; what follows the numbers is left out."""
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:4])


def _pin(line: str, *, path: Path) -> Pin:
    found = _PIN.match(line)
    digests = tuple(match["digest"] for match in _HASH.finditer(line))
    if found is None or not digests:
        raise UnpinnedRequirement(f"{path.name}: {line[:80]}")
    name = re.sub(r"[-_.]+", "-", found["name"]).lower()
    return Pin(name=name, version=found["version"], digests=digests)
