"""What a client needs to know of a running system: addresses, shops and staff logins."""

from collections.abc import Mapping
from dataclasses import dataclass

from local.supervisor import System


@dataclass(frozen=True, kw_only=True, slots=True)
class StaffLogin:
    """A staff member's username and password."""

    username: str
    password: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Doors:
    """The public address, the bank's, and who works in the kitchen of each shop."""

    edge: str
    bank: str
    kitchens: Mapping[str, StaffLogin]

    @property
    def shops(self) -> tuple[str, ...]:
        """Name the shops, in a fixed order."""
        return tuple(sorted(self.kitchens))


def doors_of(system: System) -> Doors:
    """Find the doors of a running system; the kitchen's staff open the staff routes."""
    kitchens = {
        str(login.shop): StaffLogin(username=login.username, password=login.password)
        for login in system.staff
        if "kitchen" in login.groups
    }
    return Doors(edge=system.urls["edge"], bank=system.urls["mercadopago"], kitchens=kitchens)
