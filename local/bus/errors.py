"""Refusals with AWS's own codes."""


class AwsError(Exception):
    """A refusal: the code that SDKs know, the HTTP status, and a sentence."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def missing(name: str) -> AwsError:
    """Make the refusal of a request without a parameter that it needs."""
    return AwsError("MissingParameter", f"The request must contain the parameter {name}.")


def invalid(message: str) -> AwsError:
    """Make the refusal of a parameter with a senseless value."""
    return AwsError("InvalidParameterValue", message)
