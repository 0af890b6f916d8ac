"""RFC 9457 problem details: every refusal of an API says what to change."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
# Whoever sends thousands of faulty fields must not be sent thousands of explanations.
MOST_ERRORS = 20
LONGEST_FIELD = 100


class Problem(Exception):
    """Answer with a problem document; `errors` names the faulty fields."""

    def __init__(
        self,
        status: int,
        title: str,
        *,
        detail: str = "",
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


def unavailable(
    detail: str = "a part that this answer needs is down", *, after: int = 2
) -> Problem:
    """Make the 503 that asks the client to come back in `after` seconds."""
    headers = {"Retry-After": str(after)}
    return Problem(503, "Service unavailable", detail=detail, headers=headers)


def install(app: FastAPI) -> None:
    """Render every refusal of this app as a problem document."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(Exception, _fault)


def _answer(problem: Problem) -> JSONResponse:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
    }
    if problem.detail:
        body["detail"] = problem.detail
    if problem.errors:
        body["errors"] = [dict(error) for error in problem.errors]
    return JSONResponse(
        body, status_code=problem.status, media_type=MEDIA_TYPE, headers=problem.headers
    )


async def _problem(_: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, Problem)  # Starlette calls by type; this tells mypy so.
    return _answer(exc)


async def _http(_: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, HTTPException)  # As above.
    return _answer(Problem(exc.status_code, exc.detail, headers=exc.headers))


async def _validation(_: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, RequestValidationError)  # As above.
    faults = exc.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return _answer(Problem(400, "Malformed body", detail="the body is not valid JSON"))
    errors = [
        # The input itself is left out: it may hold personal data. A field may be the client's own.
        {"field": ".".join(str(p) for p in fault["loc"])[:LONGEST_FIELD], "message": fault["msg"]}
        for fault in faults[:MOST_ERRORS]
    ]
    more = len(faults) - len(errors)
    detail = f"see errors; {more} more are not shown" if more else "see errors"
    return _answer(Problem(422, "Invalid request", detail=detail, errors=errors))


async def _fault(_: Request, exc: Exception) -> JSONResponse:
    return _answer(Problem(500, "Internal error", detail=f"it was logged: {type(exc).__name__}"))
