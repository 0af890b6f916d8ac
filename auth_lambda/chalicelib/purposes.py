"""What a code that was mailed is for; a session of one purpose is none of another."""

from enum import StrEnum


class Purpose(StrEnum):
    """Why a code is sent."""

    SIGN_IN = "SIGN-IN"
    EMAIL = "EMAIL"
    PASSWORD = "PASSWORD"  # noqa: S105 - A purpose, not a password.
