"""Look at what we did not write: `python -m local.supply` fails when something is to be done."""

import sys

from local.supply.advisories import ADVISORIES, findings
from local.supply.leaks import leaks_in_history, leaks_in_tree
from local.supply.pins import REPOSITORY, locked_files, pins_in
from local.supply.sbom import write_bills


def main() -> None:
    """Check pins, advisories and secrets, write the bills of materials, and say what was found."""
    files = locked_files(REPOSITORY)
    pins = [pin for path in files for pin in pins_in(path)]
    print(f"{len(pins)} pins in {len(files)} files, each with its hashes")
    faults = findings(pins)
    for advisory in ADVISORIES:
        if advisory.accepted_because:
            print(f"accepted: {advisory.id} of {advisory.package}: {advisory.accepted_because}")
    leaks = leaks_in_tree(REPOSITORY) + leaks_in_history(REPOSITORY)
    faults += [f"{leak.place} holds {leak.kind}" for leak in leaks]
    for path in write_bills(files, root=REPOSITORY, folder=REPOSITORY / ".comanda" / "sbom"):
        print(f"bill of materials: {path.relative_to(REPOSITORY)}")
    for fault in faults:
        print(f"FAULT {fault}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
