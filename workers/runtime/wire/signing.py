"""Sign requests with botocore's SigV4 and its credentials; keep pace with the server's clock."""

import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.exceptions import NoCredentialsError
from yarl import URL

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
        self._auth = _LeanAuth(service, region, host=URL(url).host_port_subcomponent or "")
        self._url = url

    async def sign(self, headers: dict[str, str], body: bytes) -> dict[str, str]:
        """Give the headers with date, token and authorization added."""
        frozen = await self._credentials.get_frozen_credentials()
        request = _Request(url=self._url, headers=_Headers(headers), body=body)
        # No other call can get in between: from here on nothing is awaited.
        self._auth.credentials = frozen
        self._auth.add_auth(request)
        return request.headers

    def learn_clock(self, server_date: str, *, now: datetime) -> bool:
        """Take over the server's clock; tell whether ours was far enough off to explain a refusal.

        `server_date` is the answer's `Date` header; one that cannot be read changes nothing.
        """
        try:
            skew = parsedate_to_datetime(server_date) - now
        except (ValueError, TypeError):
            return False
        is_news = abs(skew - self._auth.skew) > _TOLERANCE
        if is_news:
            self._auth.skew = skew
        return is_news


class _Headers(dict[str, str]):
    """As much of botocore's headers as its signer asks for; each of ours is there once."""

    def get_all(self, name: str) -> list[str]:
        return [self[name]]


@dataclass(kw_only=True, slots=True)
class _Request:
    """As much of botocore's request as its signer asks for, without a parser of e-mail inside."""

    url: str
    headers: _Headers
    body: bytes
    method: str = "POST"
    params: dict[str, str] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)


class _LeanAuth(SigV4Auth):  # type: ignore[misc]  # botocore has no types.
    """botocore's signer, which works out once what is the same for every request of a day."""

    def __init__(self, service: str, region: str, *, host: str) -> None:
        super().__init__(None, service, region)
        self.skew = timedelta()
        self._host = host
        self._key: tuple[tuple[str, str], bytes] | None = None

    def headers_to_sign(self, request: _Request) -> _Headers:
        """Give all headers that there are: the ones that must not be signed are added later."""
        lowered = {name.lower(): value for name, value in request.headers.items()}
        lowered.pop("authorization", None)
        return _Headers({**lowered, "host": self._host})

    def signature(self, string_to_sign: str, request: _Request) -> str:
        """Sign with the key of the day, which four rounds of HMAC derive from the secret."""
        known_by = (self.credentials.secret_key, request.context["timestamp"][:8])
        if self._key is None or self._key[0] != known_by:
            key = f"AWS4{known_by[0]}".encode()
            for part in (known_by[1], self._region_name, self._service_name, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key = (known_by, key)
        return hmac.new(self._key[1], string_to_sign.encode(), sha256).hexdigest()

    def _set_necessary_date_headers(self, request: _Request) -> None:
        if self.skew:
            moved = datetime.now(UTC) + self.skew
            request.context["timestamp"] = moved.strftime(SIGV4_TIMESTAMP)
        super()._set_necessary_date_headers(request)
