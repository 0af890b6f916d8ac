"""A CycloneDX 1.5 bill of materials of each locked requirement file, with all digests.

It is made of the files alone, so it says what may be installed; licences are added for what is
installed in this environment. The same input gives the same bytes.
"""

import json
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from local.supply.pins import Pin, pins_in

SPEC_VERSION = "1.5"
_LONGEST_LICENCE = 120


def bill_of(path: Path) -> dict[str, Any]:
    """Describe one locked file."""
    components = [_component(pin) for pin in pins_in(path)]
    content = json.dumps(components, sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": f"comanda/{path.name}",
                "name": f"comanda {path.name}",
            }
        },
        "components": components,
    }


def write_bills(paths: list[Path], *, root: Path, folder: Path) -> list[Path]:
    """Write the bills of these files of a repository into a folder; give where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path in paths:
        name = "-".join(path.relative_to(root).with_suffix("").parts)
        target = folder / f"{name}.cdx.json"
        target.write_text(json.dumps(bill_of(path), indent=2, sort_keys=True) + "\n")
        written.append(target)
    return written


def _component(pin: Pin) -> dict[str, Any]:
    purl = f"pkg:pypi/{pin.name}@{pin.version}"
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": pin.name,
        "version": pin.version,
        "purl": purl,
        # CycloneDX's `hashes` are of one file; a pin allows several, so they are properties.
        "properties": [{"name": "comanda:sha256", "value": digest} for digest in pin.digests],
    }
    licence = licence_of(pin.name)
    if licence:
        component["licenses"] = [{"license": {"name": licence}}]
    return component


def licence_of(name: str) -> str:
    """Give what a package that is installed here says of its licence; empty for all others."""
    try:
        found = metadata(name)
    except PackageNotFoundError:
        return ""
    said = str((found.get_all("License-Expression") or found.get_all("License") or [""])[0])
    classified = [c for c in found.get_all("Classifier") or () if c.startswith("License ::")]
    if not said or "\n" in said or len(said) > _LONGEST_LICENCE:
        said = "; ".join(c.rpartition("::")[2].strip() for c in classified)
    return said
