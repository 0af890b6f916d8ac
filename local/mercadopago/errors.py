"""Refusals, in the envelope of the Orders API and in that of the Payments API."""

from http import HTTPStatus


class Refused(Exception):
    """Answer with a status and Mercado Pago's code: a word for orders, a number for payments."""

    def __init__(self, status: int, code: str | int, message: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message or str(code).replace("_", " ")

    @property
    def order_body(self) -> dict[str, object]:
        """Give the body in the way of the Orders API."""
        return {"errors": [{"code": str(self.code), "message": self.message, "details": []}]}

    @property
    def payment_body(self) -> dict[str, object]:
        """Give the body in the way of the Payments API; a word leaves the causes empty."""
        causes = []
        error = str(self.code)
        if isinstance(self.code, int):
            error = HTTPStatus(self.status).name.lower()
            causes = [{"code": self.code, "description": self.message, "data": None}]
        return {"message": self.message, "error": error, "status": self.status, "cause": causes}


class NotPayable(Exception):
    """The bank cannot pay this; `state` says why."""

    def __init__(self, sale_id: str, state: str) -> None:
        super().__init__(f"this charge is {state}")
        self.sale_id = sale_id
        self.state = state
