"""What we write: codes, first passwords, and what somebody should know about their account."""

from typing import Any

from .aws import ask
from .codes import VALID_FOR
from .purposes import Purpose

SUBJECT = "Seu código de acesso"
_TEXT = """Olá!

Seu código de acesso é {code}. Ele vale por {minutes} minutos.

Se você não pediu este código, ignore esta mensagem: sem ele ninguém entra.
"""

_NEW_EMAIL = """Olá!

Para que seus códigos de acesso passem a chegar a este endereço, confirme com o código {code}.
Ele vale por {minutes} minutos.

Se você não pediu esta troca, ignore esta mensagem: sem o código nada muda.
"""

_FORGOTTEN = """Olá!

Para definir uma nova senha da equipe, use o código {code}. Ele vale por {minutes} minutos.

Se você não pediu uma nova senha, ignore esta mensagem: sem o código nada muda.
"""

_CODES = {
    Purpose.SIGN_IN: (SUBJECT, _TEXT),
    Purpose.EMAIL: ("Confirme seu novo e-mail", _NEW_EMAIL),
    Purpose.PASSWORD: ("Sua nova senha", _FORGOTTEN),
}

_EMAIL_CHANGED = """Olá!

O e-mail da sua conta foi trocado. Os códigos de acesso não chegam mais a este endereço, e quem
estava com a conta aberta precisa entrar de novo.

Se não foi você, avise a loja.
"""

_STAFF_CHANGES = {
    "password": "A senha do seu acesso à equipe foi trocada.",
    "totp": "O seu acesso à equipe não pede mais o código do aplicativo.",
}
_STAFF_CHANGED = """Olá!

{what} Quem estava com o acesso aberto precisa entrar de novo.

Se não foi você, avise a loja.
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

    def send_code(self, email: str, code: str, *, purpose: Purpose) -> None:
        """Send a code and say what it is for; raise `Unavailable`."""
        minutes = int(VALID_FOR.total_seconds() // 60)
        subject, text = _CODES[purpose]
        self._send(email, subject, text.format(code=code, minutes=minutes))

    def send_email_changed(self, email: str) -> None:
        """Tell the old address that it is no more the account's; raise `Unavailable`."""
        self._send(email, "Seu e-mail foi trocado", _EMAIL_CHANGED)

    def send_staff_changed(self, email: str, *, what: str) -> None:
        """Tell a member of staff that "password" or "totp" has changed; raise `Unavailable`."""
        text = _STAFF_CHANGED.format(what=_STAFF_CHANGES[what])
        self._send(email, "Seu acesso à equipe mudou", text)

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
