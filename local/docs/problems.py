"""Render the catalogue of problems as one document."""

from comanda.problems.catalogue import CATALOGUE
from comanda.problems.entry import Entry

_HEAD = """# Errors

Generated from `comanda/problems/` by `python -m local.docs`; do not edit.

Every refusal of every service is a problem document (RFC 9457, `application/problem+json`):

```json
{
  "type": "/problems/shop-closed",
  "title": "The shop is closed",
  "status": 409,
  "detail": "the shop takes no orders now; its menu says when it opens"
}
```

- `type` names the problem and never changes: programs compare it, and nothing else. It is a name,
  and nothing is served there.
- `title` and `detail` are for people, in English, or in Brazilian Portuguese when `Accept-Language`
  prefers it (`pt` or `pt-BR`; at equal weight, what is named first). Without the header they are
  English. `Content-Language` says which it is. What API Gateway refuses before a function of ours
  runs is English always.
- `errors`, where it stands, names each faulty `field` and what is wrong with it. The commonest
  faults are told in Portuguese, rare ones in English in both languages.
- `Retry-After` comes with 503 and 429, and with a 409 that a repeat resolves.
"""


def render() -> str:
    """Give the Markdown text of `docs/errors.md`."""
    parts = [_HEAD]
    status = 0
    for entry in sorted(CATALOGUE, key=lambda it: (it.status, it.slug)):
        if entry.status != status:
            status = entry.status
            parts += ["", f"## {status}", "", "| type | title | detail |", "|---|---|---|"]
        parts.append(_row(entry))
    return "\n".join(parts) + "\n"


def _row(entry: Entry) -> str:
    texts = (entry.detail, *entry.details)
    told = "<br>".join(f"{text.en} · {text.pt}" for text in texts)
    cells = (f"`{entry.type}`", f"{entry.title.en}<br>{entry.title.pt}", told)
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
