"""Calls to AWS end in an answer, a refusal that the caller expects, or an outage."""

from collections.abc import Callable
from typing import Any


class Unavailable(Exception):
    """A part that this request needs is down; the same request may succeed later."""


class Refused(Exception):
    """AWS understood and said no; `code` is its error code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def ask(
    method: Callable[..., dict[str, Any]], *, refusals: tuple[str, ...] = (), **arguments: Any
) -> dict[str, Any]:
    """Call a client's method; raise `Refused` for the named codes and `Unavailable` for others."""
    # botocore is heavy: it is loaded with the first client, never when the app is imported.
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return method(**arguments)
    except ClientError as exc:
        code = str(exc.response.get("Error", {}).get("Code", "Unknown"))
        if code in refusals:
            raise Refused(code) from exc
        raise Unavailable(f"AWS answered {code}") from exc
    except (BotoCoreError, OSError) as exc:
        raise Unavailable(f"AWS did not answer: {type(exc).__name__}") from exc
