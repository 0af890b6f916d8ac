"""One supervised worker process: spawned, listened to, started again, and told to leave."""

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Sequence
from datetime import timedelta

from workers.runtime.health import LONGEST_STALL
from workers.runtime.tie import VARIABLE

log = logging.getLogger(__name__)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
# Whoever lived so long did not die of its start.
_WELL_AFTER = 60.0


class Child:
    """Keep one process running until it is told to leave."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        patience: timedelta,
        longest_stall: timedelta = LONGEST_STALL,
    ) -> None:
        self.name = name
        self.port: int | None = None
        self.starts = 0
        self._command = command
        self._patience = patience.total_seconds()
        self._longest_stall = longest_stall.total_seconds()
        self._process: asyncio.subprocess.Process | None = None
        self._leaving = asyncio.Event()

    def stop(self) -> None:
        """Pass the signal on; whoever has not left in time is killed."""
        if not self._leaving.is_set():
            asyncio.get_running_loop().call_later(self._patience, self._send, signal.SIGKILL)
        self._leaving.set()
        self._send(signal.SIGTERM)

    async def run(self) -> int:
        """Run and run again until told to leave; give the last exit status."""
        pause = _FIRST_PAUSE
        while True:
            began = time.monotonic()
            try:
                status = await self._live()
            except OSError:
                # Out of processes or memory: the other children need their parent all the more.
                log.exception("worker process not started", extra={"child": self.name})
                status = 1
            if self._leaving.is_set():
                # Whoever is told to leave before it could listen has nothing in hand.
                return 0 if status == -signal.SIGTERM else status
            if time.monotonic() - began > _WELL_AFTER:
                pause = _FIRST_PAUSE
            log.error("worker process died", extra={"child": self.name, "status": status})
            try:
                await asyncio.wait_for(self._leaving.wait(), pause)
            except TimeoutError:
                pause = min(_LONGEST_PAUSE, pause * 2)
            else:
                return 0

    async def _live(self) -> int:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                self._process = await self._spawn(theirs.fileno())
            if self._leaving.is_set():
                self._send(signal.SIGTERM)  # It was told to leave while it was being born.
            self.starts += 1
            ours.settimeout(0)
            listening = asyncio.create_task(self._listen(ours))
            try:
                return await self._process.wait()
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
                self.port = None

    async def _spawn(self, link: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self._command,
            env={**os.environ, VARIABLE: str(link), "COMANDA_HEALTH_PORT": "0"},
            pass_fds=(link,),
            # Ctrl-C in a terminal reaches a whole group; the children hear of it by us, once.
            process_group=0,
        )

    async def _listen(self, link: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        text = b""
        while True:
            try:
                async with asyncio.timeout_at(loop.time() + self._longest_stall):
                    heard = await loop.sock_recv(link, 4096)
            except TimeoutError:
                log.critical("worker process stalled", extra={"child": self.name})
                self._send(signal.SIGKILL)
                return
            if not heard:
                return
            if self.port is None:
                text += heard
                line, ended, _ = text.replace(b".", b"").partition(b"\n")
                self.port = int(line) if ended else None

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)
