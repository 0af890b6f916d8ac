"""The laptop as chaos needs it: links between any two parts, and parts that die where told."""

import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from local.chaos.doom import Doom
from local.places import write_places
from local.postgres.volume import Volume, small_volume
from local.proxy import Network
from local.supervisor import Options, System
from local.supervisor.parts import Part, Process
from local.supervisor.run import Description, run_folder, supervised
from local.supervisor.wrapped import Wrapped
from local.system import CONTEXTS, describe_laptop

# A page's own address is part of what it promises to browsers; it must be the real one.
_KEPT = frozenset({"COMANDA_PUBLIC_URL"})
# Four times what a run of some minutes needs.
_MEGABYTES = 384


@dataclass(frozen=True, kw_only=True, slots=True)
class Breakable:
    """A running laptop and what it can be broken with."""

    system: System
    network: Network
    dooms: Mapping[str, Doom]
    # Where the system allows no ordinary user to mount one, there is none.
    volume: Volume | None


@asynccontextmanager
async def breakable_system(options: Options, *, has_hunt: bool = False) -> AsyncIterator[Breakable]:
    """Start the laptop with links and points of death; raise `SystemFailed`.

    With a hunt its workers rise again in a moment, and fall wherever nobody fell yet.
    """
    with (
        run_folder(options) as folder,
        describe_laptop(folder, cache=options.root / "cache") as laptop,
        small_volume(folder / "volume", megabytes=_MEGABYTES) as volume,
    ):
        network = Network(laptop.urls)
        dooms = _dooms(folder / "dooms")
        program = "local.chaos.hunted" if has_hunt else "local.chaos.doomed"
        moved = Moved.to(volume, folder / "postgres" / "data") if volume else None
        linked = _Linked(laptop, network=network, dooms=dooms, folder=folder, moved=moved)
        linked.program = program
        try:
            async with supervised(linked, folder=folder, options=options) as system:
                write_places(folder, urls=system.urls, staff=system.staff)
                yield Breakable(system=system, network=network, dooms=dooms, volume=volume)
        finally:
            await network.close()


def _dooms(folder: Path) -> dict[str, Doom]:
    folder.mkdir()
    parts = [part for name in CONTEXTS for part in (name, f"{name}-worker")]
    return {part: Doom(folder / part) for part in parts}


class _Linked(Wrapped):
    """The laptop's description, in which every part finds the others over links.

    Its addresses stay the true ones: who judges is not to be fooled. `program` is what workers
    are started through.
    """

    program = "local.chaos.doomed"

    def __init__(
        self,
        description: Description,
        *,
        network: Network,
        dooms: Mapping[str, Doom],
        folder: Path,
        moved: "Moved | None",
    ) -> None:
        super().__init__(description)
        self._network = network
        self._dooms = dooms
        self._folder = folder
        self._moved = moved

    @property
    def parts(self) -> tuple[Part, ...]:
        """Give the laptop's parts, led over links."""
        parts = tuple(map(self._led, self._description.parts))
        # Where the bank sends its notifications stands in a file, not in its environment.
        told = self._folder / "mercadopago.json"
        told.write_text(self._network.lead("mercadopago", told.read_text()))
        return parts

    def _led(self, part: Part) -> Part:
        if not isinstance(part, Process):
            return part
        command = part.command
        if (doom := self._dooms.get(part.name)) is not None:
            # Only workers rise by themselves.
            program = self.program if part.name.endswith("-worker") else "local.chaos.doomed"
            command = (sys.executable, "-m", program, str(doom.base), command[-1])
        if part.name == "postgres" and self._moved is not None:
            part, command = self._moved.led(part), self._moved.command(part)
        return replace(part, command=command, environment=partial(self._environment, part))

    def _environment(self, part: Process) -> Mapping[str, str]:
        return {
            name: text if name in _KEPT else self._network.lead(part.name, text)
            for name, text in part.environment().items()
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """The data of PostgreSQL on a volume that can be filled."""

    volume: Volume
    before: Path

    @classmethod
    def to(cls, volume: Volume, data: Path) -> "Moved":
        """Copy the data there."""
        shutil.copytree(data, volume.outside / "data")
        return cls(volume=volume, before=data)

    def led(self, part: Process) -> Process:
        """Give the server as one that sees the volume."""
        return replace(part, prefix=self.volume.prefix)

    def command(self, part: Process) -> tuple[str, ...]:
        """Give its command, led to where its data is now."""
        data = str(self.volume.folder / "data")
        return tuple(data if word == str(self.before) else word for word in part.command)
