"""Sign-in: an identifier leads to a session and an e-mail, the code in it leads to tokens."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from comanda.cpf import CPF
from comanda.ids import ShopId

from .applications import Applicant, Applications
from .aws import Unavailable
from .codes import holder_of_applicant
from .cognito import Tokens
from .courier import Courier, Letter
from .families import Owner, OwnerKind
from .proofs import Proofs
from .pseudonyms import Email, Pseudonyms
from .refusals import SignInRefused
from .registry import CustomerRegistry
from .sessions import Round, Sessions, reference_of
from .sign_up import SignUp
from .staff_pool import Login, StaffPool
from .throttle import (
    ANSWERS_BY_ADDRESS,
    CHALLENGES,
    CODES_BY_ADDRESS,
    CODES_IN_ALL,
    STAFF_BY_ADDRESS,
    STAFF_SIGN_INS,
    Throttle,
)
from .visits import Visits


@dataclass(frozen=True, kw_only=True, slots=True)
class SignIn:
    """Sign customers in and up; nothing here looks up whether there is such a person.

    Who is behind a name is found out by `post.py`, where nobody waits for the answer.
    """

    applications: Applications
    sessions: Sessions
    proofs: Proofs
    courier: Courier
    throttle: Throttle
    pseudonyms: Pseudonyms
    sign_up: SignUp
    visits: Visits
    registry: CustomerRegistry
    clock: Callable[[], datetime]

    def challenge(self, shop_id: ShopId, person: CPF | Email, *, address: str) -> str:
        """Begin a sign-in and give its session; raise `Throttled`."""
        return self._begin(shop_id, person, address=address)

    def apply(self, shop_id: ShopId, applicant: Applicant, *, address: str) -> str:
        """Begin a sign-up and give the session that waits for its code; raise `Throttled`."""
        return self._begin(shop_id, applicant.email, address=address, applicant=applicant)

    def answer(self, shop_id: ShopId, *, session: str, code: str, address: str) -> Tokens:
        """Trade the right code for tokens; raise `SignInRefused` for everything else.

        After `Unavailable` the same answer may be given again.
        """
        place = self.pseudonyms.of_address(address)
        self.throttle.admit(ANSWERS_BY_ADDRESS, shop_id=shop_id, name=place)
        played = self.proofs.check(shop_id, session=session, code=code)
        if played is None:
            raise SignInRefused
        try:
            tokens = self._admit(shop_id, played, place=place)
        except Unavailable:
            # The client is told to come back with the same code: an outage is no guess.
            self.sessions.excuse(played.reference)
            raise
        if not self.proofs.close(played):
            # A twin of this request was faster, and a code leads to tokens once.
            self.visits.end(shop_id, tokens.refresh_token)
            raise SignInRefused
        return tokens

    def _begin(
        self,
        shop_id: ShopId,
        person: CPF | Email,
        *,
        address: str,
        applicant: Applicant | None = None,
    ) -> str:
        name, place = self.pseudonyms.of(person), self.pseudonyms.of_address(address)
        # The narrowest limit first: who floods with one name does not use up the wider ones.
        self.throttle.admit(CHALLENGES, shop_id=shop_id, name=f"{name}#{place}")
        self.throttle.admit(CODES_BY_ADDRESS, shop_id=shop_id, name=place)
        self.throttle.admit(CODES_IN_ALL, shop_id=shop_id, name="ALL")
        token = self.sessions.token()
        reference = reference_of(token)
        if applicant is None:
            self.sessions.open(shop_id, token)
        else:
            # Who asked twice has the first code already, and may be faster than the second letter.
            self.sessions.open(
                shop_id,
                token,
                application=self.applications.seal(applicant, session=reference),
                holder=holder_of_applicant(shop_id, name=name, place=place),
            )
        self.proofs.expect(reference)
        self.courier.take(Letter(shop_id=shop_id, session=reference, name=name, place=place))
        return token

    def _admit(self, shop_id: ShopId, played: Round, *, place: str) -> Tokens:
        if played.application is not None:
            applicant = self.applications.open(played.application, session=played.reference)
            customer_id = self.sign_up.register(shop_id, applicant)
        elif played.customer_id is not None:
            customer_id = played.customer_id
        else:
            raise SignInRefused
        tokens = self.visits.open(shop_id, customer_id)
        self.registry.remember_place(customer_id, place, now=self.clock())
        return tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class StaffSignIn:
    """Sign staff in by password, so many times in so long from one address."""

    pool: StaffPool
    visits: Visits
    throttle: Throttle
    pseudonyms: Pseudonyms

    def sign_in(self, shop_id: ShopId, login: Login, *, address: str) -> Tokens:
        """Give tokens; raise `SignInRefused`, `PasswordRefused` or `Throttled`."""
        name, place = self.pseudonyms.of_staff(login.username), self.pseudonyms.of_address(address)
        # Counted per address, or anybody could lock anybody out by typing wrong passwords.
        self.throttle.admit(STAFF_SIGN_INS, shop_id=shop_id, name=f"{name}#{place}")
        self.throttle.admit(STAFF_BY_ADDRESS, shop_id=shop_id, name=place)
        owner = Owner(kind=OwnerKind.STAFF, shop_id=shop_id, name=login.username)
        return self.visits.begin(owner, self.pool.sign_in(shop_id, login))
