"""What goes back: 200 without a body, or a problem document (RFC 9457) that says what to change."""

from collections.abc import Mapping

from chalice.app import Response

from .receiver import Outcome

MEDIA_TYPE = "application/problem+json"
_TITLES = {
    400: "Malformed request",
    401: "Not verified",
    404: "Not found",
    405: "Method not allowed",
    413: "Content too large",
    415: "Unsupported media type",
    431: "Request header fields too large",
    500: "Internal error",
    503: "Service unavailable",
}
_RETRY_AFTER_SECONDS = 5


def accepted() -> Response:
    """Make the answer that ends Mercado Pago's retries."""
    return Response("", status_code=200)


def of(outcome: Outcome) -> Response:
    """Render what the receiver decided."""
    return accepted() if outcome.status == 200 else problem(outcome.status, outcome.reason)


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """Make a problem document."""
    document: dict[str, str | int] = {
        "type": "about:blank",
        "title": _TITLES.get(status, "Refused"),
        "status": status,
    }
    if detail:
        document["detail"] = detail
    own: dict[str, str | list[str]] = {"Content-Type": MEDIA_TYPE, **(headers or {})}
    if status == 503:
        own["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    return Response(document, status_code=status, headers=own)


def rendered(response: Response, *, accept_language: str) -> Response:
    """Tell a refusal in the client's language, Chalice's own too; leave answers as they are."""
    if response.status_code < 400:
        return response
    # Only who is refused waits for the catalogue to load.
    from comanda.problems.telling import headers_of, told

    refusal = _as_problem(response)
    body, language = told(refusal.body, accept_language=accept_language)
    headers = {**refusal.headers, **headers_of(language)}
    return Response(body, status_code=refusal.status_code, headers=headers)


def _as_problem(response: Response) -> Response:
    media_type = str(response.headers.get("Content-Type", ""))
    if media_type.startswith(MEDIA_TYPE):
        return response
    detail = "it was logged; try again" if response.status_code >= 500 else ""
    return problem(response.status_code, detail)
