"""RFC 9457 problem documents: every refusal says what to change."""

import json
from collections.abc import Sequence
from datetime import timedelta
from math import ceil
from typing import Any

from chalice.app import Response

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """Refuse a request; `errors` names the faulty fields."""

    def __init__(
        self,
        status: int,
        title: str,
        *,
        detail: str = "",
        errors: Sequence[tuple[str, str]] = (),
        retry_after: timedelta | None = None,
        challenge: str = "",
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.challenge = challenge

    @property
    def document(self) -> dict[str, Any]:
        """Give the body."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
        }
        if self.detail:
            document["detail"] = self.detail
        if self.errors:
            document["errors"] = [
                {"field": field, "detail": detail} for field, detail in self.errors
            ]
        return document

    @property
    def headers(self) -> dict[str, str]:
        """Give the headers that go with it."""
        headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"}
        if self.retry_after is not None:
            headers["Retry-After"] = str(ceil(self.retry_after.total_seconds()))
        if self.challenge:
            headers["WWW-Authenticate"] = self.challenge
        return headers


def rendered(response: Response, *, accept_language: str) -> Response:
    """Tell a refusal in the client's language, Chalice's own too; leave answers as they are."""
    if response.status_code < 400:
        return response
    # Only who is refused waits for the catalogue to load.
    from comanda.problems.telling import headers_of, told

    refusal = _as_problem(response)
    body, language = told(json.loads(refusal.body), accept_language=accept_language)
    headers = {**refusal.headers, **headers_of(language)}
    return Response(json.dumps(body), status_code=refusal.status_code, headers=headers)


def _as_problem(response: Response) -> Response:
    media_type = str(response.headers.get("Content-Type", ""))
    if media_type.startswith(MEDIA_TYPE):
        return response
    detail = "it was logged; try again" if response.status_code >= 500 else ""
    title = "Internal error" if response.status_code >= 500 else "Refused"
    problem = Problem(response.status_code, title, detail=detail)
    return Response(
        json.dumps(problem.document), status_code=problem.status, headers={**problem.headers}
    )
