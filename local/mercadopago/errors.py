"""Refusals in the envelope of the Orders API."""


class Refused(Exception):
    """Answer with a status and Mercado Pago's code."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message or code.replace("_", " ")

    @property
    def body(self) -> dict[str, object]:
        """Give the body."""
        return {"errors": [{"code": self.code, "message": self.message, "details": []}]}
