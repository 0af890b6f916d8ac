"""What we write: their code to customers, their first password to staff."""

from typing import Any

from .aws import ask
from .codes import VALID_FOR

SUBJECT = "Seu código de acesso"
_TEXT = """Olá!

Seu código de acesso é {code}. Ele vale por {minutes} minutos.

Se você não pediu este código, ignore esta mensagem: sem ele ninguém entra.
"""

_INVITATION = """Olá!

Você foi convidado(a) para a equipe da loja. Seu usuário é {username} e sua senha provisória é
{password}

Ela vale por poucos dias e só serve para definir uma senha sua no primeiro acesso.
"""


class Mailer:
    """Send by SES from one address."""

    def __init__(self, client: Any, *, sender: str) -> None:
        self._client = client
        self._sender = sender

    def send_code(self, email: str, code: str) -> None:
        """Send a code; raise `Unavailable`."""
        minutes = int(VALID_FOR.total_seconds() // 60)
        self._send(email, SUBJECT, _TEXT.format(code=code, minutes=minutes))

    def send_invitation(self, email: str, *, username: str, password: str) -> None:
        """Send a first password; raise `Unavailable`."""
        text = _INVITATION.format(username=username, password=password)
        self._send(email, "Seu acesso à equipe", text)

    def _send(self, email: str, subject: str, text: str) -> None:
        ask(
            self._client.send_email,
            Source=self._sender,
            Destination={"ToAddresses": [email]},
            Message={
                "Subject": {"Data": subject, "Charset": "UTF-8"},
                "Body": {"Text": {"Data": text, "Charset": "UTF-8"}},
            },
        )
