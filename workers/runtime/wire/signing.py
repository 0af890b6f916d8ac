"""Sign requests with botocore's SigV4 and its credentials; keep pace with the server's clock."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError

# AWS refuses what is signed more than five minutes away from its own clock.
_TOLERANCE = timedelta(minutes=4)


class Signer:
    """Sign bodies for one service in one region.

    `credentials` is what botocore's chain found: it renews itself, and one that was renewed is used
    from the next call on.
    """

    def __init__(self, credentials: Any, *, service: str, region: str, url: str) -> None:
        if credentials is None:
            raise NoCredentialsError
        self._credentials = credentials
        self._service = service
        self._region = region
        self._url = url
        self._skew = timedelta()

    async def sign(self, headers: dict[str, str], body: bytes) -> dict[str, str]:
        """Give the headers with date, token and authorization added."""
        request = AWSRequest("POST", self._url, headers, body)
        frozen = await self._credentials.get_frozen_credentials()
        _SkewedAuth(frozen, self._service, self._region, skew=self._skew).add_auth(request)
        return dict(request.headers.items())

    def learn_clock(self, server_date: str, *, now: datetime) -> bool:
        """Take over the server's clock; tell whether ours was far enough off to explain a refusal.

        `server_date` is the answer's `Date` header; one that cannot be read changes nothing.
        """
        try:
            skew = parsedate_to_datetime(server_date) - now
        except (ValueError, TypeError):
            return False
        is_news = abs(skew - self._skew) > _TOLERANCE
        if is_news:
            self._skew = skew
        return is_news


class _SkewedAuth(SigV4Auth):  # type: ignore[misc]  # botocore has no types.
    def __init__(self, credentials: Any, service: str, region: str, *, skew: timedelta) -> None:
        super().__init__(credentials, service, region)
        self._skew = skew

    def _set_necessary_date_headers(self, request: AWSRequest) -> None:
        if self._skew:
            moved = datetime.now(UTC) + self._skew
            request.context["timestamp"] = moved.strftime(SIGV4_TIMESTAMP)
        super()._set_necessary_date_headers(request)
