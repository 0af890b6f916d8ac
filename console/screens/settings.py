"""What the screens read from their environment."""

from dataclasses import dataclass, field

from comanda.ids import ShopId
from comanda.settings import SettingsError


@dataclass(frozen=True, kw_only=True, slots=True)
class ScreensSettings:
    """Where the contexts are, and the keys that seal cookies.

    `console_keys` are Fernet keys, the newest first, separated by commas: the first seals, all of
    them open, so a key is rotated by putting a new one before it. `public_url` is where browsers
    find us, without a slash at its end. `forwarding_keys` (hexadecimal digits, the newest first)
    sign for auth whose browser asks; without them it counts all browsers as one.
    `trusted_proxies` is how many proxies of ours stand before us: 2 behind CloudFront and the load
    balancer, 0 where browsers come to us themselves. `process_urls` are the private addresses of
    APIs and workers, `name=url` separated by commas, for the page of the topology. `simulator_url`
    is set on a laptop alone: where Mercado Pago's simulator is.
    """

    stage: str
    shops: tuple[ShopId, ...]
    auth_url: str
    orders_url: str
    catalog_url: str
    payments_url: str
    archive_url: str
    public_url: str
    console_keys: str = field(repr=False)
    http_port: int
    forwarding_keys: str = field(default="", repr=False)
    trusted_proxies: int = 0
    http_host: str = "127.0.0.1"
    process_urls: str = ""
    simulator_url: str = ""


def refuse_simulator_in_production(settings: ScreensSettings) -> None:
    """Refuse to start where real money is and somebody set the simulator's address."""
    if settings.simulator_url and settings.stage in ("prod", "production"):
        raise SettingsError("COMANDA_SIMULATOR_URL is set, and production has no simulator")
