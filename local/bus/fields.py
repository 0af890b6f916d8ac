"""Fields of SQS requests, checked as AWS checks them."""

from typing import Any

from local.bus.errors import AwsError, invalid, missing

Request = dict[str, Any]


def text(request: Request, name: str) -> str:
    """Give a text that must be there."""
    value = request.get(name)
    if value is None or value == "":
        raise missing(name)
    if not isinstance(value, str):
        raise AwsError("SerializationException", f"{name} must be text")
    return value


def visibility(request: Request, *, default: int | None) -> int:
    """Give a visibility timeout, in seconds."""
    return number(request, "VisibilityTimeout", default=default, low=0, high=43_200)


def number(request: Request, name: str, *, default: int | None, low: int, high: int) -> int:
    """Give a whole number within its bounds; it must be there unless there is a default."""
    value = request.get(name, default)
    if value is None:
        raise missing(name)
    if type(value) is not int:
        raise AwsError("SerializationException", f"{name} must be a whole number")
    if not low <= value <= high:
        raise invalid(
            f"Value {value} for parameter {name} is invalid."
            f" Reason: Must be between {low} and {high}, if provided."
        )
    return value
