"""People who come to the counter."""

import secrets
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Customer:
    """Somebody new."""

    cpf: str
    email: str

    @property
    def sign_up(self) -> dict[str, str]:
        return {
            "cpf": self.cpf,
            "name": "Maria da Silva",
            "email": self.email,
            "consent_version": "2026-11",
        }


def new_customer() -> Customer:
    return Customer(cpf=_new_cpf(), email=f"{secrets.token_hex(6)}@exemplo.com.br")


def _new_cpf() -> str:
    digits = f"{secrets.randbelow(999_999_998) + 1:09d}"
    for _ in range(2):
        weights = range(len(digits) + 1, 1, -1)
        rest = sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11
        digits += "0" if rest < 2 else str(11 - rest)
    return digits
