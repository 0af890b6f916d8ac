"""Choose free ports up front and keep other runs from choosing them too."""

import random
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from local.supervisor.parts import SystemFailed

# Below the range that Linux and macOS give to outgoing connections, so that no client of ours can
# sit on a port while the server that owns it is being restarted.
FIRST, LAST = 20000, 32000


class NoFreePorts(SystemFailed):
    """So many ports are taken that no free one was found."""


@contextmanager
def reserve_ports(
    count: int, *, preferred: Sequence[int] = (), randomness: random.Random | None = None
) -> Iterator[tuple[int, ...]]:
    """Give `count` ports free for TCP on 127.0.0.1, reserved for as long as the block lasts.

    The preferred ones are taken when all of them are free: a run that starts again keeps the
    addresses that its data may hold.
    """
    holders: list[socket.socket] = []
    try:
        ports = _reserve_all(preferred, holders) if len(preferred) == count else ()
        if not ports:
            chooser = randomness or random.SystemRandom()
            candidates = chooser.sample(range(FIRST, LAST), k=LAST - FIRST)
            ports = _reserve_some(candidates, count, holders)
        yield ports
    finally:
        for holder in holders:
            holder.close()


def _reserve_all(ports: Sequence[int], holders: list[socket.socket]) -> tuple[int, ...]:
    for port in ports:
        if not _reserve(port, holders):
            while holders:
                holders.pop().close()
            return ()
    return tuple(ports)


def _reserve_some(
    candidates: Sequence[int], count: int, holders: list[socket.socket]
) -> tuple[int, ...]:
    chosen: list[int] = []
    for port in candidates:
        if len(chosen) == count:
            return tuple(chosen)
        if _reserve(port, holders):
            chosen.append(port)
    raise NoFreePorts(f"no {count} free ports between {FIRST} and {LAST}")


def _reserve(port: int, holders: list[socket.socket]) -> bool:
    # The UDP twin of a port is what we hold: every run sees it, the kernel frees it however we
    # die, and the TCP port stays free for the server, also while that is being restarted.
    holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        holder.bind(("127.0.0.1", port))
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OSError:
        holder.close()
        return False
    holders.append(holder)
    return True
