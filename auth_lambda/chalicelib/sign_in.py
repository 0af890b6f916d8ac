"""Sign-in: an identifier leads to a session and an e-mail, the code in it leads to tokens."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from comanda.cpf import CPF
from comanda.ids import ShopId

from .cognito import CustomerPool, SignInRefused, StaffPool, Tokens
from .pseudonyms import Email, Pseudonyms
from .registry import CustomerRegistry
from .sessions import Sessions
from .throttle import CHALLENGES, STAFF_SIGN_INS, Throttle


@dataclass(frozen=True, kw_only=True, slots=True)
class SignIn:
    """Sign customers in; who is unknown walks the same path and fails the same way."""

    registry: CustomerRegistry
    pool: CustomerPool
    sessions: Sessions
    throttle: Throttle
    pseudonyms: Pseudonyms
    new: Callable[[], UUID]

    def challenge(self, shop_id: ShopId, person: CPF | Email) -> str:
        """Begin a sign-in and give its session; raise `Throttled`."""
        name = self.pseudonyms.of(person)
        self.throttle.admit(CHALLENGES, shop_id=shop_id, name=name)
        # Cognito is asked about a stranger, too: the answer then takes its usual way and time.
        username = self.registry.find(shop_id, name) or str(self.new())
        cognito_session = self.pool.begin(username)
        return self.sessions.open(shop_id, customer_id=username, cognito_session=cognito_session)

    def answer(self, shop_id: ShopId, *, session: str, code: str) -> Tokens:
        """Trade the right code for tokens; raise `SignInRefused` for everything else."""
        played = self.sessions.attempt(shop_id, session)
        if played is None or played.customer_id is None or played.cognito_session is None:
            raise SignInRefused
        outcome = self.pool.answer(played.customer_id, session=played.cognito_session, code=code)
        if isinstance(outcome, Tokens):
            return outcome
        self.sessions.advance(played, cognito_session=outcome)
        raise SignInRefused


@dataclass(frozen=True, kw_only=True, slots=True)
class StaffSignIn:
    """Sign staff in by password, so many times in so long."""

    pool: StaffPool
    throttle: Throttle
    pseudonyms: Pseudonyms

    def sign_in(self, shop_id: ShopId, *, username: str, password: str) -> Tokens:
        """Give tokens; raise `SignInRefused` or `Throttled`."""
        name = self.pseudonyms.of_staff(username)
        self.throttle.admit(STAFF_SIGN_INS, shop_id=shop_id, name=name)
        return self.pool.sign_in(shop_id, username=username, password=password)
