"""The virtual clock: it follows real time, skips, speeds up, stands still, and never goes back."""

import pytest

from local.mercadopago.clock import InvalidClock, VirtualClock, utc_text


class Real:
    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


def test_it_begins_at_real_time_and_follows_it() -> None:
    real = Real()
    clock = VirtualClock(real=real)

    real.at += 5

    assert clock.seconds() == 1_005.0
    assert utc_text(clock.now()) == "1970-01-01T00:16:45.000000Z"


def test_it_skips_and_speeds_up_from_where_it_is() -> None:
    real = Real()
    clock = VirtualClock(real=real)

    clock.adjust(advance_seconds=100, speed=10)
    real.at += 2

    assert clock.seconds() == 1_120.0
    assert clock.real_seconds_until(1_130.0) == pytest.approx(1.0)
    assert clock.real_seconds_until(1_000.0) == 0.0


def test_it_can_stand_still() -> None:
    real = Real()
    clock = VirtualClock(real=real)

    clock.adjust(speed=0)
    real.at += 500

    assert clock.seconds() == 1_000.0
    assert clock.real_seconds_until(1_001.0) is None


def test_it_never_goes_back_when_real_time_does() -> None:
    real = Real()
    clock = VirtualClock(real=real)

    real.at -= 60

    assert clock.seconds() == 1_000.0


def test_a_setting_goes_on_where_it_was() -> None:
    real = Real()
    setting = VirtualClock(real=real).adjust(advance_seconds=3_600)

    real.at += 60

    assert VirtualClock(setting, real=real).seconds() == 1_000.0 + 3_660.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"advance_seconds": -0.1},
        {"advance_seconds": 1e9},
        {"speed": -1.0},
        {"speed": 1e7},
        {"retry_speed": 0.0},
    ],
)
def test_what_would_break_it_is_refused(wrong: dict[str, float]) -> None:
    clock = VirtualClock(real=Real())

    with pytest.raises(InvalidClock):
        clock.adjust(**wrong)

    assert clock.seconds() == 1_000.0
