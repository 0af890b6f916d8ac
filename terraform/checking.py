"""Check all roots: format, then `validate` and `terraform test` against a provider that is mocked.

Nothing here calls AWS or needs credentials. What cannot be checked on this machine is said loudly
and is no failure, unless it is asked for.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from terraform.tool import FOLDER, ROOTS, Terraform, TerraformFailed, find_terraform

_AT_ONCE = 2


def check(roots: tuple[str, ...] = ROOTS, *, is_required: bool = False) -> int:
    """Check the roots and give the exit status; `is_required` makes what is missing a failure."""
    terraform = find_terraform()
    if terraform is None:
        return _skipped("no terraform on the path: fmt, validate and test", is_required=is_required)
    try:
        terraform.run(FOLDER, ("fmt", "-check", "-diff", "-recursive"))
    except TerraformFailed as exc:
        print(exc, file=sys.stderr)
        return 1
    print("terraform fmt: clean")
    if terraform.mirror is None and not is_required:
        return _skipped("no provider at hand: validate and test", is_required=False)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        failures = sum(pool.map(lambda root: _check_root(terraform, root), roots))
    return 1 if failures else 0


def prepare(terraform: Terraform, root: str) -> None:
    """Initialise a root without its state; raise `TerraformFailed`."""
    words = ("init", "-backend=false", "-input=false", "-lockfile=readonly")
    terraform.run(FOLDER / root, words)


def _check_root(terraform: Terraform, root: str) -> int:
    started = perf_counter()
    try:
        prepare(terraform, root)
        terraform.run(FOLDER / root, ("validate", "-no-color"))
        output = terraform.run(FOLDER / root, ("test", "-no-color"))
    except TerraformFailed as exc:
        print(exc, file=sys.stderr)
        return 1
    verdict = output.strip().splitlines()[-1]
    print(f"{root}: valid; {verdict} ({perf_counter() - started:.1f} s)")
    return 0


def _skipped(what: str, *, is_required: bool) -> int:
    line = "!" * 78
    print(f"{line}\n!! SKIPPED, {what}.\n{line}", file=sys.stderr)
    return 1 if is_required else 0
