"""Mail by Amazon SES."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from workers.orders.postman import MailRefused, MailUnavailable

_REFUSED = frozenset({"InvalidParameterValue", "MessageRejected"})
_CONFIG = AioConfig(connect_timeout=3, read_timeout=10, retries={"max_attempts": 2})


class SESMailer:
    """Send plain text from one address; `client` is aiobotocore's."""

    def __init__(self, client: Any, *, sender: str) -> None:
        self._client = client
        self._sender = sender

    async def send(self, email: str, *, subject: str, text: str) -> None:
        """Send one mail; raise `MailRefused` or `MailUnavailable`."""
        try:
            await self._client.send_email(
                Source=self._sender,
                Destination={"ToAddresses": [email]},
                Message={
                    "Subject": {"Data": subject, "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": text, "Charset": "UTF-8"}},
                },
            )
        except ClientError as exc:
            if exc.response["Error"]["Code"] in _REFUSED:
                raise MailRefused from exc
            raise MailUnavailable from exc
        except BotoCoreError as exc:
            raise MailUnavailable from exc


@asynccontextmanager
async def ses_mailer(sender: str) -> AsyncIterator[SESMailer]:
    """Open a client of SES; region, credentials and endpoint come from the environment."""
    async with get_session().create_client("ses", config=_CONFIG) as client:
        yield SESMailer(client, sender=sender)
