"""What is publicly known against packages that we use, as a list by hand.

An audit asks a service on the internet, which a laptop without one cannot. So the advisories that
concern what we run are written down with the version that mended each. A list by hand is never
complete: where there is a network, `pip-audit -r requirements.txt` says more. The one database that
can be installed as a package, `safety-db`, ends in July 2021, older than any version that we pin,
and its licence forbids commercial use; so it is not used beside the list.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from local.supply.pins import Pin, version_key


@dataclass(frozen=True, kw_only=True, slots=True)
class Advisory:
    """A fault of a package; without `mended_in` there is no mended version."""

    id: str
    package: str
    mended_in: str = ""
    accepted_because: str = ""


ADVISORIES = (
    Advisory(id="CVE-2025-43859", package="h11", mended_in="0.16.0"),
    Advisory(id="CVE-2025-62727", package="starlette", mended_in="0.49.1"),
    Advisory(id="CVE-2024-47874", package="starlette", mended_in="0.40.0"),
    Advisory(id="CVE-2024-33663", package="python-jose", mended_in="3.4.0"),
    Advisory(id="CVE-2024-33664", package="python-jose", mended_in="3.4.0"),
    Advisory(id="CVE-2025-27516", package="jinja2", mended_in="3.1.6"),
    Advisory(id="CVE-2024-47081", package="requests", mended_in="2.32.4"),
    Advisory(id="CVE-2025-50181", package="urllib3", mended_in="2.5.0"),
    Advisory(id="CVE-2025-66418", package="urllib3", mended_in="2.6.0"),
    Advisory(id="CVE-2025-66471", package="urllib3", mended_in="2.6.0"),
    Advisory(id="CVE-2026-21441", package="urllib3", mended_in="2.6.3"),
    Advisory(id="CVE-2026-44432", package="urllib3", mended_in="2.7.0"),
    Advisory(id="CVE-2025-53643", package="aiohttp", mended_in="3.12.14"),
    Advisory(id="CVE-2025-69223", package="aiohttp", mended_in="3.13.3"),
    Advisory(id="CVE-2026-34515", package="aiohttp", mended_in="3.13.4"),
    Advisory(id="CVE-2024-12797", package="cryptography", mended_in="44.0.1"),
    Advisory(id="CVE-2025-47273", package="setuptools", mended_in="78.1.1"),
    Advisory(id="CVE-2024-3772", package="pydantic", mended_in="2.4.0"),
    Advisory(id="CVE-2025-8869", package="pip", mended_in="25.3"),
    Advisory(id="CVE-2024-34069", package="werkzeug", mended_in="3.0.3"),
    Advisory(id="CVE-2025-66221", package="werkzeug", mended_in="3.1.4"),
    Advisory(
        id="CVE-2024-23342",
        package="ecdsa",
        accepted_because=(
            "It leaks a signing key by timing. python-jose asks for the package; we sign and"
            " verify by RS256 alone, through cryptography, and nothing of ours imports it."
        ),
    ),
)


def findings(pins: Iterable[Pin]) -> list[str]:
    """Name every pin that a mended fault concerns, and every fault that nobody has accepted."""
    found = []
    for pin in pins:
        for advisory in (each for each in ADVISORIES if each.package == pin.name):
            is_mended = bool(advisory.mended_in) and (
                version_key(pin.version) >= version_key(advisory.mended_in)
            )
            if not is_mended and not advisory.accepted_because:
                found.append(f"{advisory.id}: {pin.name} {pin.version} < {advisory.mended_in}")
    return found
