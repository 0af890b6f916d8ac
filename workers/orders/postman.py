"""Send the mail that is owed: each once, unless a process dies between sending and noting it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from workers.orders.mail import Mail
from workers.orders.ports import Letterbox

log = logging.getLogger(__name__)
_BATCH = 25
# What could not be sent for a day is not news any more, and must not stand before what is.
_GIVEN_UP_AFTER = timedelta(days=1)


class MailRefused(Exception):
    """The mail service will never take this mail: the address is no good, or suppressed."""


class MailUnavailable(Exception):
    """The mail service cannot take the mail now."""


class Mailer(Protocol):
    """Who sends."""

    async def send(self, email: str, *, subject: str, text: str) -> None:
        """Send one mail; raise `MailRefused` or `MailUnavailable`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Postman:
    """All that sending needs."""

    letterbox: Letterbox
    mailer: Mailer
    clock: Callable[[], datetime]

    async def send_owed(self) -> int:
        """Send what is owed, oldest first; give how many were sent."""
        sent = 0
        for mail in await self.letterbox.owed(limit=_BATCH):
            if await self.letterbox.take(mail, now=self.clock()):
                sent += await self._send(mail)
        return sent

    async def _send(self, mail: Mail) -> bool:
        contact = await self.letterbox.contact(mail.shop_id, mail.customer_id)
        is_sent = False
        if contact is not None and not mail.is_stale(now=self.clock()):
            try:
                await self.mailer.send(contact.email, subject=mail.subject, text=mail.text)
                is_sent = True
            except MailRefused:
                log.warning("mail refused", extra={"order_id": mail.order_id, "kind": mail.kind})
            except MailUnavailable:
                log.warning("mail waits", extra={"order_id": mail.order_id, "kind": mail.kind})
                if self.clock() - mail.at < _GIVEN_UP_AFTER:
                    return False  # The lease ends by itself, and the mail is taken again.
        await self.letterbox.sent(mail)
        return is_sent
