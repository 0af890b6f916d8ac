"""Look for secrets in every file that is or was in the repository.

What is looked for are forms that have no innocent use: private keys, keys of clouds and providers,
tokens. Words such as `password` are not: tests and documents are full of them.
"""

import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FORMS: Mapping[str, re.Pattern[bytes]] = {
    "a private key": re.compile(
        rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*[A-Za-z0-9+/=\s]{100}"
    ),
    "an AWS access key": re.compile(rb"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])"),
    "an AWS secret": re.compile(
        rb"(?i)aws_?secret_?(?:access_?)?key[\"']?\s*[:=]\s*[\"']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])"
    ),
    "a Mercado Pago token": re.compile(rb"(?:APP_USR|TEST)-\d{12,20}-\d{6}-[0-9a-f]{32}"),
    "a GitHub token": re.compile(rb"(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50,})"),
    "a Slack token": re.compile(rb"xox[abprs]-[0-9A-Za-z-]{20,}"),
    "a Google key": re.compile(rb"AIza[0-9A-Za-z_-]{35}"),
    "a signed token": re.compile(rb"eyJ[\w-]{20,}\.eyJ[\w-]{40,}\.[\w-]{80,}"),
    "a webhook secret": re.compile(rb"whsec_[A-Za-z0-9+/]{40,}={0,2}"),
    "a password in an address": re.compile(
        rb"(?i)postgres(?:ql)?://[a-z0-9_]+:[^@\s\"'{}$<>]{12,}@"
    ),
}
# AWS's own example key, which its documents use everywhere.
EXAMPLES = (b"AKIAIOSFODNN7EXAMPLE", b"wJalrXUtnFEMI")


@dataclass(frozen=True, kw_only=True, slots=True)
class Leak:
    """What was found and where; the thing itself is not repeated."""

    kind: str
    place: str


def leaks_in(content: bytes, *, place: str) -> Iterator[Leak]:
    """Name every form of a secret that some bytes hold."""
    for kind, form in FORMS.items():
        for match in form.finditer(content):
            if not any(example in match.group() for example in EXAMPLES):
                yield Leak(kind=kind, place=place)


def leaks_in_tree(root: Path) -> list[Leak]:
    """Look through every file that git knows, or would take, as it is now."""
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    found: list[Leak] = []
    for name in sorted(filter(None, listed.split(b"\0"))):
        path = root / name.decode()
        if path.is_file() and not path.is_symlink():
            found += leaks_in(path.read_bytes(), place=name.decode())
    return found


def leaks_in_history(root: Path) -> list[Leak]:
    """Look through every version of every file that any commit ever had."""
    listed = _git(root, "rev-list", "--objects", "--all").splitlines()
    names = dict(line.split(b" ", 1) for line in listed if b" " in line)
    found: list[Leak] = []
    for blob, content in _blobs(root, names):
        place = f"{names[blob].decode()} ({blob.decode()[:12]})"
        found += leaks_in(content, place=place)
    return found


def _blobs(root: Path, objects: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    asked = b"\n".join(objects) + b"\n"
    answered = _git(root, "cat-file", "--batch", said=asked)
    at = 0
    while at < len(answered):
        end = answered.index(b"\n", at)
        digest, kind, size = answered[at:end].split()
        content = answered[end + 1 : end + 1 + int(size)]
        at = end + 2 + int(size)
        if kind == b"blob":
            yield digest, content


def _git(root: Path, *arguments: str, said: bytes = b"") -> bytes:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, input=said, capture_output=True, check=True).stdout
