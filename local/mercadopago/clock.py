"""A virtual clock: real time from where it was set, times a speed, plus what was skipped."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FASTEST = 1_000_000.0
_LONGEST_JUMP = 366 * 24 * 3600.0


class InvalidClock(ValueError):
    """The clock cannot be set like this; it never goes backwards."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockSetting:
    """Where the virtual clock was, in seconds since the epoch, when the real one was at `real`."""

    virtual: float
    real: float
    speed: float = 1.0
    retry_speed: float = 900.0


class VirtualClock:
    """Tell the simulator's time; `real` gives seconds since the epoch."""

    def __init__(
        self, setting: ClockSetting | None = None, *, real: Callable[[], float] = time.time
    ) -> None:
        self._real = real
        at = real()
        self.setting = setting or ClockSetting(virtual=at, real=at)

    def seconds(self) -> float:
        """Give virtual seconds since the epoch."""
        setting = self.setting
        return setting.virtual + max(0.0, self._real() - setting.real) * setting.speed

    def now(self) -> datetime:
        """Give the virtual instant."""
        return instant_at(self.seconds())

    def adjust(
        self,
        *,
        advance_seconds: float = 0.0,
        speed: float | None = None,
        retry_speed: float | None = None,
    ) -> ClockSetting:
        """Skip some time and change the speeds; a speed of 0 stands still."""
        speed = self.setting.speed if speed is None else speed
        retry_speed = self.setting.retry_speed if retry_speed is None else retry_speed
        if not 0 <= advance_seconds <= _LONGEST_JUMP:
            raise InvalidClock("advance_seconds: 0 to one year")
        if not 0 <= speed <= FASTEST or not 0 < retry_speed <= FASTEST:
            raise InvalidClock(f"speeds: at most {FASTEST:.0f}, and retries never stand still")
        virtual = self.seconds() + advance_seconds
        self.setting = ClockSetting(
            virtual=virtual, real=self._real(), speed=speed, retry_speed=retry_speed
        )
        return self.setting

    def reset(self) -> None:
        """Go back to real time."""
        at = self._real()
        self.setting = ClockSetting(virtual=at, real=at)

    def real_seconds_until(self, at: float) -> float | None:
        """Give how long to wait for a virtual instant; `None` while the clock stands still."""
        ahead = at - self.seconds()
        if ahead <= 0:
            return 0.0
        return ahead / self.setting.speed if self.setting.speed else None


def instant_at(seconds: float) -> datetime:
    """Give the instant, to the microsecond, of seconds since the epoch."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(seconds * 1e6))


def utc_text(at: datetime) -> str:
    """Write an instant as the Orders API does, with microseconds and `Z`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
