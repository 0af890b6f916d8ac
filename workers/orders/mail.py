"""Mail that is owed to customers: it waits in the store until it was sent."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from comanda.ids import CustomerId, OrderId, ShopId
from comanda.money import Money
from workers.orders.instants import instant_text
from workers.orders.notices import WORDINGS, NoticeKind

# Longer than sending takes, and short enough for news of an order that is ready.
LEASE = timedelta(seconds=30)
MAIL_KEPT = timedelta(days=2)
# An hour later nobody needs to hear that the food is ready.
STALE_AFTER = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Contact:
    """Where a customer can be reached; who did not consent has none."""

    shop_id: ShopId
    customer_id: CustomerId
    email: str
    told_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """One notice to one customer; the address is looked up when it is sent, so none travels."""

    shop_id: ShopId
    order_id: OrderId
    customer_id: CustomerId
    kind: NoticeKind
    call_number: int
    amount: Money
    at: datetime

    @property
    def position(self) -> str:
        """Give where the mail stands among all that is owed."""
        return f"{instant_text(self.at)}#{self.shop_id}#{self.order_id}#{self.kind}"

    @property
    def subject(self) -> str:
        """Give the subject line, in Portuguese."""
        return self._worded(WORDINGS[self.kind].subject)

    @property
    def text(self) -> str:
        """Give the text, in Portuguese."""
        return self._worded(WORDINGS[self.kind].text)

    def is_stale(self, *, now: datetime) -> bool:
        """Tell whether it would come too late to be of use; money news never does."""
        return self.kind is NoticeKind.READY and now - self.at > STALE_AFTER

    def _worded(self, wording: str) -> str:
        amount = str(self.amount).replace(".", ",")
        return wording.format(number=self.call_number, amount=amount)
