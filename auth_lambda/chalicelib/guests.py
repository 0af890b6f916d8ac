"""A guest's visit: a token that we sign, so many per kiosk and address; a CPF may be noted."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from comanda.cpf import CPF
from comanda.identity.guest import GuestSigner, GuestToken
from comanda.ids import ShopId

from .pseudonyms import Pseudonyms
from .table import Key, Table
from .throttle import GUESTS_BY_ADDRESS, GUESTS_BY_KIOSK, Throttle

# Campaigns look back a year; what the fiscal note needs is not kept here.
NOTED_FOR = timedelta(days=365)


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestDesk:
    """Let guests in; `by_address` overrides how many one address may have in ten minutes."""

    table: Table
    signer: Callable[[], GuestSigner]
    throttle: Throttle
    pseudonyms: Pseudonyms
    clock: Callable[[], datetime]
    new: Callable[[], UUID]
    by_address: int

    def admit(self, shop_id: ShopId, *, kiosk: str, address: str, cpf: CPF | None) -> GuestToken:
        """Give a token for one visit; raise `Throttled`.

        A CPF is noted with the visit under its keyed name and opens nothing: anybody may type
        anybody's. The token is the same as without.
        """
        place = self.pseudonyms.of_address(address)
        limit = replace(GUESTS_BY_ADDRESS, count=self.by_address)
        # Per address too, so that nobody far away uses a kiosk's share up by its name.
        self.throttle.admit(GUESTS_BY_KIOSK, shop_id=shop_id, name=f"{kiosk}#{place}")
        self.throttle.admit(limit, shop_id=shop_id, name=place)
        now = self.clock()
        token = self.signer().sign(shop_id, kiosk=kiosk, now=now, new=self.new)
        if cpf is not None:
            key = Key(pk=f"SHOP#{shop_id}#{self.pseudonyms.of(cpf)}", sk=f"GUEST#{token.subject}")
            self.table.put(key, {"expires_at": int((now + NOTED_FOR).timestamp())})
        return token
