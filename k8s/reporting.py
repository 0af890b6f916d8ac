"""What the terminal shows while a release is applied."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table

from k8s.deploying import Listener
from k8s.manifests import Manifest
from k8s.releases import Release
from k8s.rollout import Phase, Progress, progress_of

_SIGNS = {Phase.MOVING: "[yellow]…[/]", Phase.DONE: "[green]✓[/]", Phase.FAILED: "[red]✗[/]"}


@contextmanager
def live_listener(console: Console) -> Iterator[Listener]:
    """Show steps as lines and rollouts as a table that moves; plain lines where none can."""
    standing: dict[str, Progress] = {}
    said: dict[str, str] = {}

    def progress(workload: Manifest, now: Progress) -> None:
        name = str(workload.key)
        standing[name] = now
        live.update(_table(standing))
        if not console.is_terminal and said.get(name) != now.detail:
            said[name] = now.detail
            console.print(f"{now.phase}: {name}: {now.detail}", soft_wrap=True, highlight=False)

    def step(text: str) -> None:
        console.print(text, soft_wrap=True, highlight=False, markup=False)

    # A log keeps lines, not a table drawn over itself.
    screen = console if console.is_terminal else Console(quiet=True)
    with Live(_table(standing), console=screen, refresh_per_second=8, transient=False) as live:
        yield Listener(step=step, progress=progress)


def _table(standing: dict[str, Progress]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1))
    for name, now in standing.items():
        table.add_row(_SIGNS[now.phase], name, f"{now.done}/{now.wanted}", now.detail)
    return table


def workloads_table(workloads: Sequence[Manifest]) -> Table:
    """Show how each workload stands."""
    table = Table("", "workload", "pods", "detail", "image", box=None)
    for workload in workloads:
        now = progress_of(workload)
        image = ((workload.pod or {}).get("containers") or [{}])[0].get("image", "")
        count = f"{now.done}/{now.wanted}"
        table.add_row(_SIGNS[now.phase], workload.name, count, now.detail, image[-20:])
    return table


def releases_table(releases: Sequence[Release]) -> Table:
    """Show the releases that are kept, the newest first."""
    table = Table("release", "status", "applied", "image", box=None)
    for it in reversed(releases):
        table.add_row(str(it.number), it.status, f"{it.applied_at:%Y-%m-%d %H:%M:%S} UTC", it.image)
    return table
