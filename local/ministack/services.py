"""Save a small service of ministack after each request that may have changed it."""

import importlib
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core import persistence

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Answer]]
READING = ("Get", "List", "Describe", "BatchGet", "AdminGet", "AdminList")
# What the state of each service lies in: the file's name and the module.
SAVED = {
    "cognito-idp": (("cognito", "cognito"),),
    "secretsmanager": (("secretsmanager", "secretsmanager"),),
    "ses": (("ses", "ses"), ("ses_v2", "ses_v2")),
    "lambda": (("lambda", "lambda_svc"),),
    "iam": (("iam", "iam"),),
    # The buckets with their settings; each object is a file of its own.
    "s3": (("s3", "s3"),),
}


def saved_after_each_change(service: str, *, handler: Handler) -> Handler:
    """Give a handler that acknowledges a change only when it is in the service's state file.

    These services hold little and change seldom (a sign-in, a mail, a secret), so writing all of
    one is quick; ministack by itself saves on a clean stop alone.
    """

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Answer:
        answer = await handler(method, path, headers, body, query)
        if not _is_reading(method, path, headers):
            save(service)
        return answer

    return handle


def save(service: str) -> None:
    """Write the state of the service: whole or not at all, for the file is renamed into place."""
    for name, module in SAVED[service]:
        state = importlib.import_module(f"ministack.services.{module}").get_state()
        persistence.save_state(name, state)


def _is_reading(method: str, path: str, headers: dict[str, str]) -> bool:
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    # A refused sign-in counts too: it spends an attempt. So the status does not matter.
    return method in ("GET", "HEAD") or action.startswith(READING) or path.endswith("/invocations")
