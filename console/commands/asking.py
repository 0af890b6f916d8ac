"""What every command shares: where Comanda is, which shop, how to answer, and when to give up."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from comanda.messaging.ports import MessagingUnavailable
from console.door import JSON, Door, DoorClosed, DoorRefused
from console.places import Places, PlacesUnknown, find_places
from console.queues.queues import NoSuchQueue
from console.tokens import TokenFiles, cache_folder

FOUND, OUT_OF_REACH, WRONG = 1, 2, 3
_NARROWEST = 200
PlacesOption = Annotated[Path | None, typer.Option("--places", help="Where Comanda runs (JSON).")]
ShopOption = Annotated[str, typer.Option("--shop", help="Which shop; else the first one known.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document for programs.")]
# A pipe is no terminal of 80 columns: what programs and logs read is not cut into lines.
out = Console(highlight=False, width=None if sys.stdout.isatty() else _NARROWEST)
err = Console(highlight=False, stderr=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The door of a running Comanda and the shop that is meant."""

    places: Places
    door: Door
    shop: str

    def path(self, context: str, rest: str) -> str:
        """Give the path of a resource of the shop."""
        return f"/apis/{context}/{self.shop}{rest}"

    def read(self, context: str, rest: str, **query: object) -> Any:
        """Read a resource of the shop."""
        return self.door.read(self.shop, self.path(context, rest), **query)

    def send(self, context: str, rest: str, body: Mapping[str, object], **options: Any) -> JSON:
        """Change a resource of the shop."""
        return self.door.send(self.shop, self.path(context, rest), body=body, **options)


def asked(places: Path | None, shop: str) -> Asked:
    """Find Comanda; a shop without a login is a wrong wish."""
    found = find_places(places)
    chosen = shop or min(found.logins, default="")
    if chosen not in found.logins:
        known = ", ".join(sorted(found.logins)) or "none"
        give_up(f"no login for shop {chosen!r} in the file of places; there is: {known}")
    door = Door(found.edge, logins=found.logins, kept=TokenFiles(cache_folder()))
    return Asked(places=found, door=door, shop=chosen)


@contextmanager
def told() -> Iterator[None]:
    """Turn what can go wrong into one line and an exit code."""
    try:
        yield
    except (PlacesUnknown, DoorRefused, NoSuchQueue) as exc:
        give_up(str(exc), code=OUT_OF_REACH if isinstance(exc, PlacesUnknown) else WRONG)
    except (DoorClosed, MessagingUnavailable) as exc:
        give_up(f"out of reach: {exc}", code=OUT_OF_REACH)


def give_up(why: str, *, code: int = WRONG) -> NoReturn:
    """Say why on the error stream and leave."""
    err.print(f"[red]comanda:[/] {plain(why)}", soft_wrap=True)
    raise typer.Exit(code)


def plain(value: object) -> str:
    """Write text that others made so that it is neither markup nor steers a terminal."""
    text = "" if value is None else str(value)
    return escape("".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text))


def answer_json(content: object) -> None:
    """Write one JSON document, in ASCII: what others wrote must not steer a terminal."""
    sys.stdout.write(json.dumps(content, indent=2, default=str) + "\n")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Show rows; text from outside is never read as markup."""
    shown = Table(title=title, title_justify="left")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(plain(cell) for cell in row))
    out.print(shown)
    if not rows:
        out.print("nothing")


def become(words: Sequence[str]) -> NoReturn:
    """Go on as another program: nothing that is deployed imports what is a laptop's."""
    os.execv(sys.executable, [sys.executable, *words])  # noqa: S606  # No shell, and words of ours.
