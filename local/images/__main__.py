"""`python -m local.images build|test`: exit 0 when done or skipped, and say which."""

import sys

from local.images.build import build
from local.images.engine import Skipped
from local.images.trial import try_image


def main(words: list[str]) -> int:
    """Do what is asked."""
    try:
        match words:
            case ["build"]:
                print(f"built {build()}")
            case ["test"]:
                print("\n".join(try_image()))
            case _:
                print(__doc__)
                return 2
    except Skipped as exc:
        print(f"SKIPPED: {' '.join(words)} of the image: {exc}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
