"""Call AWS with one signed POST (Signature Version 4), by the standard library alone.

boto3 would take five times as long as all the rest of a cold start, and the receiver makes two
calls in all; ADR 0010. In the tests botocore signs the same requests and must agree.
"""

import hmac
import logging
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

log = logging.getLogger("webhooks_lambda")
ATTEMPTS = 2
CONNECT_SECONDS = 1.0
READ_SECONDS = 3.0
# JSON services name the error in `__type`, after the namespace; SNS in an XML element.
_CODE = re.compile(rb'"__type"\s*:\s*"(?:[^"#]*#)?([A-Za-z.]+)|<Code>([A-Za-z.]+)<')
_AGAIN = frozenset({429, 500, 502, 503, 504})


class AWSUnavailable(Exception):
    """There was no usable answer; the same call may succeed later."""


class AWSRefused(Exception):
    """AWS understood and said no; `code` is its error code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """Where a service is, and with whose keys it is called."""

    name: str
    region: str
    url: str
    access_key: str
    secret_key: str
    session_token: str | None = None


def service_of(name: str, environ: Mapping[str, str]) -> Service:
    """Read region, endpoint and keys, as Lambda sets them; raise `KeyError`."""
    region = environ.get("AWS_REGION") or environ["AWS_DEFAULT_REGION"]
    specific = "AWS_ENDPOINT_URL_" + {"secretsmanager": "SECRETS_MANAGER"}.get(name, name.upper())
    given = environ.get(specific) or environ.get("AWS_ENDPOINT_URL")
    return Service(
        name=name,
        region=region,
        url=(given or f"https://{name}.{region}.amazonaws.com").rstrip("/"),
        access_key=environ["AWS_ACCESS_KEY_ID"],
        secret_key=environ["AWS_SECRET_ACCESS_KEY"],
        session_token=environ.get("AWS_SESSION_TOKEN"),
    )


class AWSClient:
    """Post to one service over a connection that is kept, one a thread."""

    def __init__(self, service: Service, *, clock: Callable[[], datetime]) -> None:
        self._service = service
        self._clock = clock
        self._kept = threading.local()

    def post(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Give the answer's body; raise `AWSRefused` or `AWSUnavailable`."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                status, content = self._send(body, headers)
            except (OSError, _http().HTTPException) as exc:
                # A connection that slept too long looks the same as a service that is down.
                self._close()
                fault: Exception = exc
            else:
                if status == 200:
                    return content
                fault = AWSRefused(_code(content) or f"HTTP {status}")
                if status not in _AGAIN:
                    raise fault
            log.info("aws call failed", extra={"service": self._service.name, "attempt": attempt})
        raise AWSUnavailable(f"{self._service.name}: {type(fault).__name__} {fault}") from fault

    def _send(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        connection = self._connection()
        signed = sign(self._service, body=body, headers=headers, now=self._clock())
        connection.request("POST", "/", body=body, headers=signed)
        answer = connection.getresponse()
        content = answer.read()
        if answer.will_close:
            self._close()
        return answer.status, content

    def _connection(self) -> Any:
        connection = getattr(self._kept, "connection", None)
        if connection is None:
            address = urlsplit(self._service.url)
            http = _http()
            secure = address.scheme == "https"
            kind = http.HTTPSConnection if secure else http.HTTPConnection
            connection = kind(address.hostname, address.port, timeout=CONNECT_SECONDS)
            connection.connect()
            connection.sock.settimeout(READ_SECONDS)
            self._kept.connection = connection
        return connection

    def _close(self) -> None:
        connection = getattr(self._kept, "connection", None)
        if connection is not None:
            connection.close()
            self._kept.connection = None


def sign(
    service: Service, *, body: bytes, headers: Mapping[str, str], now: datetime
) -> dict[str, str]:
    """Give the headers with host, date, token and authorization added; the path is `/`."""
    moment = now.strftime("%Y%m%dT%H%M%SZ")
    every = {**headers, "Host": urlsplit(service.url).netloc, "X-Amz-Date": moment}
    if service.session_token:
        every["X-Amz-Security-Token"] = service.session_token
    lowered = sorted((name.lower(), value.strip()) for name, value in every.items())
    names = ";".join(name for name, _ in lowered)
    lines = "".join(f"{name}:{value}\n" for name, value in lowered)
    request = f"POST\n/\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
    scope = f"{moment[:8]}/{service.region}/{service.name}/aws4_request"
    digest = sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
    signature = _hmac(_signing_key(service, scope), text).hex()
    credential = f"Credential={service.access_key}/{scope}"
    authorization = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={signature}"
    return {**every, "Authorization": authorization}


def _signing_key(service: Service, scope: str) -> bytes:
    key = b"AWS4" + service.secret_key.encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), sha256).digest()


def _code(content: bytes) -> str | None:
    found = _CODE.search(content)
    return (found[1] or found[2]).decode() if found else None


def _http() -> Any:
    # TLS and HTTP cost more than the rest of the app; they are loaded with the first call.
    import http.client

    return http.client
