"""The page on which people read the mails that a laptop sent: `GET /mailbox`, the newest first."""

from collections.abc import Awaitable, Callable
from html import escape
from typing import Any

from ministack.services import ses

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]
PATH = "/mailbox"
_SHOWN = 100
_HEAD = """<!doctype html><html lang="pt-BR"><meta charset="utf-8"><title>Caixa de correio</title>
<meta http-equiv="refresh" content="3"><style>body{font:16px/1.5 sans-serif;max-width:42rem;
margin:2rem auto;padding:0 1rem}article{border-top:1px solid #bbb;padding:.5rem 0}pre{white-space:
pre-wrap;font:inherit}</style><h1>Caixa de correio do laptop</h1>"""


class Mailbox:
    """ASGI: the page, and everything else to `app`."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one connection's scope."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        mails = [mail for sent in _sent().values() for mail in sent]
        page = render(mails).encode()
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(page)).encode()),
            (b"cache-control", b"no-store"),
            (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": page})


def _sent() -> dict[Any, list[dict[str, Any]]]:
    # ministack's own page of JSON reads the same; it keeps no public list.
    sent: dict[Any, list[dict[str, Any]]] = ses._sent_emails.to_dict()  # noqa: SLF001
    return sent


def render(mails: list[dict[str, Any]]) -> str:
    """Give the page; what a mail says is shown as text, whatever it holds."""
    newest = sorted(mails, key=lambda mail: float(mail.get("Timestamp", 0)), reverse=True)
    shown = "".join(_article(mail) for mail in newest[:_SHOWN])
    return _HEAD + (shown or "<p>Nenhuma mensagem.</p>")


def _article(mail: dict[str, Any]) -> str:
    to = ", ".join(escape(str(address)) for address in mail.get("To", ()))
    subject, text = escape(str(mail.get("Subject", ""))), escape(str(mail.get("BodyText", "")))
    return f"<article><h2>{subject}</h2><p>Para: {to}</p><pre>{text}</pre></article>"
