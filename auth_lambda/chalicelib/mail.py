"""The one message that we write to customers: their code."""

from typing import Any

from .aws import ask
from .codes import VALID_FOR

SUBJECT = "Seu código de acesso"
_TEXT = """Olá!

Seu código de acesso é {code}. Ele vale por {minutes} minutos.

Se você não pediu este código, ignore esta mensagem: sem ele ninguém entra.
"""


class Mailer:
    """Send by SES from one address."""

    def __init__(self, client: Any, *, sender: str) -> None:
        self._client = client
        self._sender = sender

    def send_code(self, email: str, code: str) -> None:
        """Send a code; raise `Unavailable`."""
        minutes = int(VALID_FOR.total_seconds() // 60)
        ask(
            self._client.send_email,
            Source=self._sender,
            Destination={"ToAddresses": [email]},
            Message={
                "Subject": {"Data": SUBJECT, "Charset": "UTF-8"},
                "Body": {
                    "Text": {"Data": _TEXT.format(code=code, minutes=minutes), "Charset": "UTF-8"}
                },
            },
        )
