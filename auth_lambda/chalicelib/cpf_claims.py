"""By which CPF a customer signs in: theirs for the asking, if nobody else has it."""

from dataclasses import dataclass
from datetime import timedelta

from comanda.cpf import CPF
from comanda.ids import CustomerId, ShopId

from .pseudonyms import Pseudonyms
from .refusals import NoProfile
from .registry import CustomerRegistry
from .throttle import Limit, Throttle

# Each claim may show its sender, by the mail that comes or not, whether the CPF is known.
CLAIMS = Limit(purpose="CPF-CLAIM", count=3, window=timedelta(days=1))


@dataclass(frozen=True, kw_only=True, slots=True)
class CpfDesk:
    """Take claims; the answer never tells whether somebody else has the CPF."""

    registry: CustomerRegistry
    pseudonyms: Pseudonyms
    throttle: Throttle

    def claim(self, shop_id: ShopId, customer_id: CustomerId, cpf: CPF) -> None:
        """Put the CPF in the place of the customer's last; raise `NoProfile` or `Throttled`."""
        self.throttle.admit(CLAIMS, shop_id=shop_id, name=customer_id)
        registration = self.registry.get(customer_id)
        if registration is None:
            raise NoProfile
        name = self.pseudonyms.of(cpf)
        if registration.cpf_name != name and self.registry.take_cpf(registration, name):
            self.registry.release_last(registration)
