"""`python -m local.packaging`: make both zips and say how large they are."""

import argparse
import sys
from pathlib import Path

from local.packaging.package import APPS, PackagingFailed, package
from local.provision.context import REPOSITORY


def main(arguments: list[str]) -> int:
    """Package the apps; return 1 when one cannot be."""
    parser = argparse.ArgumentParser(prog="python -m local.packaging", description=__doc__)
    parser.add_argument("--out", type=Path, default=REPOSITORY / ".comanda" / "packages")
    parser.add_argument("--architecture", choices=("arm64", "x86_64"), default="arm64")
    chosen = parser.parse_args(arguments)
    for app in APPS:
        try:
            made = package(app, out=chosen.out / app, architecture=chosen.architecture)
        except PackagingFailed as exc:
            print(exc, file=sys.stderr)
            return 1
        print(f"{made.zip}  {made.zip.stat().st_size / 1_048_576:.2f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
