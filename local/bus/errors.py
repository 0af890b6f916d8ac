"""Refusals with AWS's own codes."""


class AwsError(Exception):
    """A refusal: the code that SDKs know, the HTTP status, a sentence, and whose fault it is."""

    def __init__(
        self, code: str, message: str, *, status: int = 400, is_sender_fault: bool = True
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.is_sender_fault = is_sender_fault


class ConnectionReset(Exception):
    """No answer leaves: the connection is torn down."""


def missing(name: str) -> AwsError:
    """Make the refusal of a request without a parameter that it needs."""
    return AwsError("MissingParameter", f"The request must contain the parameter {name}.")


def invalid(message: str) -> AwsError:
    """Make the refusal of a parameter with a senseless value."""
    return AwsError("InvalidParameterValue", message)
