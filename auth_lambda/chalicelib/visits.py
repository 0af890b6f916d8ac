"""Tokens for who has proven to be themselves: given, renewed, and taken back."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from comanda.ids import CustomerId, ShopId

from .aws import Refused, Unavailable
from .cognito import CustomerPool, Tokens
from .families import Families, Owner, OwnerKind
from .passes import Passes
from .refusals import SignInRefused
from .staff_pool import StaffPool

# The customer typed nothing of this. Cognito's answer came so late that the SDK asked again, when
# the first call had used the pass up, or a trigger broke: the next pass may be taken.
_NOT_TAKEN = "Cognito did not take a pass that was just granted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Visits:
    """Open visits through Cognito; its refresh token stays with us, ours goes out."""

    customers: CustomerPool
    staff: StaffPool
    passes: Passes
    families: Families
    clock: Callable[[], datetime]

    def open(self, shop_id: ShopId, customer_id: CustomerId) -> Tokens:
        """Sign a customer in whose code was right; raise `SignInRefused` or `Unavailable`."""
        session = self.customers.begin(customer_id)
        if session is None:
            raise SignInRefused
        granted = self.passes.grant(customer_id)
        try:
            outcome = self.customers.answer(customer_id, session=session, code=granted)
        except SignInRefused as exc:
            raise Unavailable(_NOT_TAKEN) from exc
        if not isinstance(outcome, Tokens):
            raise Unavailable(_NOT_TAKEN)
        owner = Owner(kind=OwnerKind.CUSTOMER, shop_id=shop_id, name=customer_id)
        return self.begin(owner, outcome)

    def begin(self, owner: Owner, tokens: Tokens) -> Tokens:
        """Put our own refresh token in the place of Cognito's."""
        refresh_token = self.families.begin(owner, inner=tokens.refresh_token)
        return replace(tokens, refresh_token=refresh_token)

    def renew(self, shop_id: ShopId, refresh_token: str) -> Tokens:
        """Give a new pair for a refresh token; raise `SignInRefused`."""
        held = self.families.open(shop_id, refresh_token)
        pool = self._pool(held.owner)
        try:
            tokens = pool.refresh(held.inner)
        except Refused as exc:
            # Cognito says no to who was deleted or disabled, whatever we know.
            self.families.revoke(held.owner, held.family, reason="refused")
            raise SignInRefused from exc
        return replace(tokens, refresh_token=self.families.rotate(held))

    def end(self, shop_id: ShopId, refresh_token: str) -> None:
        """Sign out here; what is not a good token is signed out already."""
        try:
            held = self.families.open(shop_id, refresh_token)
        except SignInRefused:
            return
        self.families.revoke(held.owner, held.family, reason="signed out")
        self._pool(held.owner).revoke(held.inner)

    def end_all(self, owner: Owner) -> None:
        """Sign out everywhere; access tokens last until they expire, 15 minutes at most."""
        self.families.revoke_all(owner)
        self._pool(owner).sign_out(owner.name)

    def _pool(self, owner: Owner) -> CustomerPool | StaffPool:
        return self.customers if owner.kind is OwnerKind.CUSTOMER else self.staff
