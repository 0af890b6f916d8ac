"""What can go wrong at Mercado Pago, and what a caller may conclude from it.

Refusals will never work; outages leave it open whether the provider acted, so ask again with the
same bytes under the same key. Each carries the `x-request-id` by which the provider finds the call.

MercadoPagoError
+-- MercadoPagoRefused(code, status)
+-- ResourceNotFound(code)
+-- MercadoPagoUnavailable(retry_after)
    +-- MercadoPagoUnauthorized
"""

from datetime import timedelta


class MercadoPagoError(Exception):
    """Something about the provider; see the tree in this module's text."""

    def __init__(self, detail: str, *, request_id: str = "") -> None:
        super().__init__(f"{detail} [request {request_id}]" if request_id else detail)
        self.request_id = request_id


class MercadoPagoRefused(MercadoPagoError):
    """The provider will not do this, however often it is asked."""

    def __init__(self, code: str, status: int, *, request_id: str = "") -> None:
        super().__init__(f"refused with {code} ({status})", request_id=request_id)
        self.code = code
        self.status = status


class ResourceNotFound(MercadoPagoError):
    """The provider has no such resource, or not for this account."""


class MercadoPagoUnavailable(MercadoPagoError):
    """There was no usable answer; `retry_after` is the provider's wish, if it had one."""

    def __init__(
        self, detail: str, *, request_id: str = "", retry_after: timedelta | None = None
    ) -> None:
        super().__init__(detail, request_id=request_id)
        self.retry_after = retry_after


class MercadoPagoUnauthorized(MercadoPagoUnavailable):
    """The access token is not good; a new one may be on its way, so this heals."""
