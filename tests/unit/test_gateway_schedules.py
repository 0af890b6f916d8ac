"""Schedules on the laptop: rung at once, then by their rate, whatever the function does."""

import pytest
from chalice import Chalice

from local.gateway.adapter import NotPlayedHere
from local.gateway.loading import load_app
from local.gateway.schedules import bells_of, ring


class Pauses:
    """A wait that ends after so many pauses and keeps how long they were to be."""

    def __init__(self, count: int) -> None:
        self.asked: list[float] = []
        self._count = count

    def __call__(self, seconds: float) -> bool:
        self.asked.append(seconds)
        return len(self.asked) == self._count


def app_with(expression: str, heard: list[str]) -> Chalice:
    app = Chalice(app_name="probe", configure_logs=False)

    @app.schedule(expression, name="tidy")
    def tidy(event: object) -> None:
        heard.append(event.detail_type)  # type: ignore[attr-defined]
        if len(heard) == 1:
            raise ValueError("broken once")

    return app


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [("rate(1 minute)", 60), ("rate(15 minutes)", 900), ("rate(2 hours)", 7200)],
)
def test_a_bell_rings_at_once_and_goes_on_after_a_failure(expression: str, seconds: int) -> None:
    heard: list[str] = []
    (bell,) = bells_of(app_with(expression, heard))
    pauses = Pauses(3)

    ring(bell, pauses)

    assert heard == ["Scheduled Event"] * 3
    assert pauses.asked == [seconds] * 3


@pytest.mark.parametrize("expression", ["cron(0 3 * * ? *)", "rate(1 fortnight)", "hourly"])
def test_what_is_no_rate_is_refused_rather_than_forgotten(expression: str) -> None:
    with pytest.raises(NotPlayedHere):
        bells_of(app_with(expression, []))


def test_the_edge_has_one_schedule() -> None:
    bells = [
        bell.name for app in ("auth_lambda", "webhooks_lambda") for bell in bells_of(load_app(app))
    ]

    assert bells == ["finish_what_broke"]
