"""What the processes say: all of it to files, on the terminal only what somebody should look at."""

import json
import re
from collections import deque
from datetime import datetime
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.markup import escape

COLOURS = ("cyan", "magenta", "green", "blue", "bright_cyan", "bright_magenta", "bright_green")
TAIL_LINES = 25
_TROUBLE = re.compile(
    r"\b(WARN|WARNING|ERROR|CRITICAL|FATAL|PANIC|Traceback)\b|\w+(Error|Exception): "
)
# Our own knocking at a server that is on its way; the file has it.
_EXPECTED = re.compile(r"FATAL:  the database system is starting up")


class LogBook:
    """The logs of one run: a file per process, and the terminal."""

    def __init__(self, folder: Path, *, console: Console, is_verbose: bool = False) -> None:
        self._folder = folder
        self._console = console
        self._is_verbose = is_verbose
        self._files: dict[str, TextIO] = {}
        self._tails: dict[str, deque[str]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def line(self, name: str, text: str) -> None:
        """Note a line that a process wrote; show it when it is a warning or worse."""
        self._keep(name, text)
        if self._is_verbose or _is_trouble(text):
            self._show(name, escape(text), colour=self._colour(name))

    def news(self, text: str, *, is_bad: bool = False) -> None:
        """Say something of the supervisor's own, always on the terminal."""
        self._keep("supervisor", text)
        style = "bold red" if is_bad else "bold"
        self._show("supervisor", f"[{style}]{escape(text)}[/]", colour="yellow")

    def note(self, text: str) -> None:
        """Note what only a reader of the log file, or of a verbose run, wants to know."""
        self._keep("supervisor", text)
        if self._is_verbose:
            self._show("supervisor", escape(text), colour="yellow")

    def tail(self, name: str) -> str:
        """Give the last lines that a process wrote."""
        return "\n".join(self._tails.get(name, ())) or "(it wrote nothing)"

    def path(self, name: str) -> Path:
        """Give the file that holds all that a process wrote."""
        return self._folder / f"{name}.log"

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _keep(self, name: str, text: str) -> None:
        if name not in self._files:
            # Line buffering, so that a supervisor that is killed leaves whole logs.
            self._files[name] = self.path(name).open("a", buffering=1, encoding="utf-8")
            self._tails[name] = deque(maxlen=TAIL_LINES)
        self._tails[name].append(text)
        stamp = datetime.now().astimezone().isoformat(timespec="milliseconds")
        self._files[name].write(f"{stamp} {text}\n")

    def _show(self, name: str, markup: str, *, colour: str) -> None:
        stamp = datetime.now().astimezone().strftime("%H:%M:%S.%f")[:-3]
        prefix = f"[dim]{stamp}[/] [{colour}]{name:>16}[/] │ "
        self._console.print(prefix + markup, highlight=False, soft_wrap=True)

    def _colour(self, name: str) -> str:
        return COLOURS[sum(name.encode()) % len(COLOURS)]


def _is_trouble(text: str) -> bool:
    if not text.startswith("{"):
        return _TROUBLE.search(text) is not None and not _EXPECTED.search(text)
    try:
        level = json.loads(text).get("level", "")
    except ValueError:
        return False
    return str(level).lower() in ("warning", "error", "critical")
