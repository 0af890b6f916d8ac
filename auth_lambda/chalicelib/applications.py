"""Who wants to be a customer, and how that rests, sealed, until the e-mail is confirmed."""

import json
from dataclasses import dataclass
from datetime import date, datetime

from comanda.cpf import CPF

from .pseudonyms import Email
from .sealing import seal, unseal


@dataclass(frozen=True, kw_only=True, slots=True)
class Applicant:
    """Who wants to be a customer, and to which text they agreed, and when."""

    cpf: CPF
    name: str
    email: Email
    consent_version: str
    consented_at: datetime
    birth_date: date | None = None


class Applications:
    """Seal applications, so that the table holds nobody who has not confirmed."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, applicant: Applicant, *, session: str) -> str:
        """Give the text to store with the session."""
        fields = {
            "cpf": applicant.cpf.digits,
            "name": applicant.name,
            "email": applicant.email.address,
            "consent_version": applicant.consent_version,
            "consented_at": applicant.consented_at.isoformat(),
            "birth_date": applicant.birth_date.isoformat() if applicant.birth_date else None,
        }
        return seal(self._key, json.dumps(fields), place=session)

    def open(self, sealed: str, *, session: str) -> Applicant:
        """Read what `seal` wrote for this session; raise `Broken`."""
        fields = json.loads(unseal(self._key, sealed, place=session))
        born = fields["birth_date"]
        return Applicant(
            cpf=CPF(fields["cpf"]),
            name=fields["name"],
            email=Email(fields["email"]),
            consent_version=fields["consent_version"],
            consented_at=datetime.fromisoformat(fields["consented_at"]),
            birth_date=date.fromisoformat(born) if born else None,
        )
