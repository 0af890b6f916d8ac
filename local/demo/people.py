"""Customers for the demo: invented people, and the mailbox in which their codes arrive."""

import asyncio
import re
import secrets
import time
from dataclasses import dataclass

import aiohttp

from comanda.cpf import CPF
from local.demo.client import WalkFailed

_CODE = re.compile(r"\b[0-9]{6}\b")
_PATIENCE_SECONDS = 15.0
_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody who does not exist, with a CPF whose check digits are right."""

    cpf: str
    name: str
    email: str

    @property
    def sign_up(self) -> dict[str, str]:
        """Give what is sent to sign up."""
        return {
            "cpf": self.cpf,
            "name": self.name,
            "email": self.email,
            "consent_version": "2026-11",
        }


def invent_person() -> Person:
    """Make somebody new."""
    email = f"maria.{secrets.token_hex(4)}@exemplo.com.br"
    return Person(cpf=_invent_cpf(), name="Maria da Silva", email=email)


class Mailbox:
    """All mail that SES has sent on the laptop."""

    def __init__(self, session: aiohttp.ClientSession, *, aws_url: str) -> None:
        self._session = session
        self._url = f"{aws_url}/_ministack/ses/messages"

    async def code_for(self, email: str) -> str:
        """Wait for the code that was mailed to this address; raise `WalkFailed`."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for text in await self._texts(email):
                if found := _CODE.search(text):
                    return found.group()
            await asyncio.sleep(_PAUSE_SECONDS)
        raise WalkFailed(f"no code was mailed to {email}")

    async def _texts(self, email: str) -> list[str]:
        try:
            async with self._session.get(self._url) as answer:
                accounts = (await answer.json())["messages"].values()
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return []
        mails = [mail for mails in accounts for mail in mails if mail["To"] == [email]]
        return [str(mail["BodyText"]) for mail in reversed(mails)]


def _invent_cpf() -> str:
    while True:
        digits = f"{secrets.randbelow(10**9):09d}"
        for _ in range(2):
            weights = range(len(digits) + 1, 1, -1)
            rest = sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11
            digits += "0" if rest < 2 else str(11 - rest)
        try:
            CPF(digits)
        except ValueError:
            continue  # All digits alike pass the sums, and are no CPF.
        return digits
