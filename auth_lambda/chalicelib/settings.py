"""What the environment must say; the triggers need less of it than the API."""

from dataclasses import dataclass

from comanda.ids import ShopId

_SENDER = "Comanda <nao-responda@comanda.example>"


@dataclass(frozen=True, kw_only=True, slots=True)
class TriggerSettings:
    """For the functions that Cognito calls."""

    stage: str
    customers_table: str
    email_sender: str = _SENDER


@dataclass(frozen=True, kw_only=True, slots=True)
class PostSettings:
    """For the function that sends codes, beside the triggers' settings."""

    customer_pool_id: str
    staff_pool_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthSettings:
    """For the API."""

    stage: str
    shops: tuple[ShopId, ...]
    topic_arn: str
    customers_table: str
    customer_pool_id: str
    customer_client_id: str
    staff_pool_id: str
    staff_client_id: str
    guest_issuer: str
    orders_url: str = ""
    # Ten minutes' worth of guests behind one address; a load test needs more than a shop.
    guests_per_address: int = 3000
    # The share of customers' news whose trace begins here, and is recorded.
    traces_ratio: float = 0.0
