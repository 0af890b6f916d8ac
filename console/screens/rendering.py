"""Templates and the files that pages load, all of them ours: nothing comes from elsewhere."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from console.screens import wording

_HERE = Path(__file__).parent
ASSETS = _HERE / "assets"
_KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_FOREVER = "public, max-age=31536000, immutable"


@cache
def templates() -> Environment:
    """Load the templates; each value is escaped, and one that is missing is a fault."""
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "brl": wording.brl,
        "at": wording.at,
        "duration": wording.duration,
        "shop_name": wording.shop_name,
        "reason": wording.reason,
    }
    made.globals |= {
        "asset": asset_url,
        "STATUSES": wording.STATUSES,
        "SERVICES": wording.SERVICES,
        "REASONS": wording.REASONS,
        "CHARGES": wording.CHARGES,
        "CASES": wording.CASES,
        "ENTRIES": wording.ENTRIES,
        "ATTEMPTS": wording.ATTEMPTS,
        "NOTICES": wording.NOTICES,
    }
    return made


def render(template: str, **values: object) -> str:
    """Fill a template in."""
    return templates().get_template(template).render(**values)


def page(template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Answer with a filled-in template."""
    return HTMLResponse(render(template, **values), status_code=status)


@cache
def _assets() -> Mapping[str, tuple[bytes, str]]:
    found = {}
    for file in sorted(ASSETS.iterdir()):
        if file.suffix in _KINDS:
            content = file.read_bytes()
            found[file.name] = content, hashlib.sha256(content).hexdigest()[:12]
    return found


def asset_url(name: str) -> str:
    """Give the address of a file; it changes with its content, so it is kept for ever."""
    return f"/assets/{_assets()[name][1]}/{name}"


def asset(name: str) -> Response:
    """Answer with a file; 404 when there is none of that name."""
    found = _assets().get(name)
    if found is None:
        return Response(status_code=404)
    headers = {"Cache-Control": _FOREVER}
    return Response(found[0], media_type=_KINDS[Path(name).suffix], headers=headers)
