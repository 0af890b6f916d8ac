"""What holds for every answer and every request: headers, renewed cookies, no foreign hand.

A browser says itself where a request comes from (`Sec-Fetch-Site`, or `Origin` in older ones), and
what is unsafe is taken from our own pages alone. Staff's forms carry a token of their session too.
"""

from http.cookies import SimpleCookie
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Refuse what comes from another site; put the headers on each answer."""

    def __init__(self, app: ASGIApp, *, public_url: str) -> None:
        self._app = app
        self._origin = public_url.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer 403."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})

        async def decorated(message: Message) -> None:
            if message["type"] == "http.response.start":
                _decorate(MutableHeaders(scope=message), state=scope["state"])
            await send(message)

        if scope["method"] not in _SAFE and not self._is_ours(Headers(scope=scope)):
            refusal = PlainTextResponse("Pedido de outro site recusado.", status_code=403)
            await refusal(scope, receive, decorated)
            return
        await self._app(scope, receive, decorated)

    def _is_ours(self, headers: Headers) -> bool:
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        return headers.get("origin") == self._origin


def cookie_header(name: str, value: str, *, path: str, seconds: int | None = None) -> str:
    """Write a cookie that no script and no other site sees; without `seconds` it ends with the
    browser.
    """
    jar: SimpleCookie = SimpleCookie()
    jar[name] = value
    morsel = jar[name]
    morsel["path"], morsel["samesite"] = path, "Strict"
    morsel["secure"], morsel["httponly"] = True, True
    if seconds is not None:
        morsel["max-age"] = seconds
    return morsel.OutputString()


def _decorate(headers: MutableHeaders, *, state: dict[str, Any]) -> None:
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    # What somebody sees is theirs: no cache keeps it unless the answer says otherwise.
    headers.setdefault("Cache-Control", "no-store")
    for cookie in state.get("cookies", ()):
        headers.append("Set-Cookie", cookie)
