"""The refusals that have a status of their own, whoever raises them."""

from datetime import timedelta


class SignInRefused(Exception):
    """Wrong answer, wrong password, unknown person or used session: deliberately one refusal."""


class NoProfile(Exception):
    """There is no such customer, or no more."""


class Throttled(Exception):
    """There were too many requests; `retry_after` says when the next one is counted anew."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("too many requests")
        self.retry_after = retry_after
