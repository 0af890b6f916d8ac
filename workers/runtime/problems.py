"""RFC 9457 problem details: every refusal of an API says what to change."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from comanda.problems.catalogue import UNNAMED, entry_of
from comanda.problems.telling import headers_of, told

MEDIA_TYPE = "application/problem+json"
# Whoever sends thousands of faulty fields must not be sent thousands of explanations.
MOST_ERRORS = 20
LONGEST_FIELD = 100


class Problem(Exception):
    """Answer with a problem document; `errors` names the faulty fields.

    Status and title name an entry of `comanda.problems.catalogue`, which has them in Portuguese.
    """

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


def document_refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe, for OpenAPI, what a route refuses beyond what any route does."""
    return {status: {"description": HTTPStatus(status).phrase} for status in statuses}


def install(app: FastAPI) -> None:
    """Render every refusal of this app as a problem document."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(Exception, _fault)


def _answer(request: Request, problem: Problem) -> JSONResponse:
    own: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
    }
    if problem.detail:
        own["detail"] = problem.detail
    if problem.errors:
        own["errors"] = [dict(error) for error in problem.errors]
    body, language = told(own, accept_language=request.headers.get("accept-language", ""))
    return JSONResponse(
        body,
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={**headers_of(language), **problem.headers},
    )


async def _problem(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, Problem)  # Starlette calls by type; this tells mypy so.
    return _answer(request, exc)


async def _http(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, HTTPException)  # As above.
    # Starlette's own words are those of the status line: "Not Found".
    title, _, detail = exc.detail.capitalize().partition(": ")
    if entry_of(exc.status_code, title) is None:
        title = UNNAMED
    headers = {**(exc.headers or {}), **_allowing(request, exc.status_code)}
    return _answer(request, Problem(exc.status_code, title, detail=detail, headers=headers))


def _allowing(request: Request, status: int) -> dict[str, str]:
    """Name all methods of a path; Starlette names those of one of its routes alone."""
    if status != HTTPStatus.METHOD_NOT_ALLOWED:
        return {}
    methods: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= getattr(route, "methods", None) or set()
    return {"Allow": ", ".join(sorted(methods))}


async def _validation(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, RequestValidationError)  # As above.
    faults = exc.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        malformed = Problem(400, "Malformed body", detail="the body is not valid JSON")
        return _answer(request, malformed)
    errors = [
        # The input itself is left out: it may hold personal data. A field may be the client's own.
        {"field": ".".join(str(p) for p in fault["loc"])[:LONGEST_FIELD], "message": fault["msg"]}
        for fault in faults[:MOST_ERRORS]
    ]
    more = len(faults) - len(errors)
    detail = f"see errors; {more} more are not shown" if more else "see errors"
    return _answer(request, Problem(422, "Invalid request", detail=detail, errors=errors))


async def _fault(request: Request, exc: Exception) -> JSONResponse:
    detail = f"it was logged: {type(exc).__name__}"
    return _answer(request, Problem(500, "Internal error", detail=detail))
