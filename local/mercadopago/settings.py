"""Switches for what the provider's own documents leave open."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from local.mercadopago.store import Store


class InvalidSetting(ValueError):
    """There is no such switch, or it cannot be set so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Switches:
    """All switches; the page on the simulator says what each does."""

    error_envelope: str = "orders"
    resign_retries: bool = False
    strict_search: bool = False
    any_expiry: bool = False
    any_notification_url: bool = False
    always_draw: bool = False
    search_lists_order_payments: bool = False


class Settings:
    """The switches as they stand, saved across restarts."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.switches = Switches(**(store.setting("switches") or {}))

    def change(self, wanted: Mapping[str, Any]) -> Switches:
        """Set some switches; raise `InvalidSetting`."""
        known = {field.name for field in fields(Switches)}
        for name, value in wanted.items():
            if name not in known:
                raise InvalidSetting(f"unknown: {name[:100]}")
            if name == "error_envelope":
                if value not in ("orders", "payments"):
                    raise InvalidSetting("error_envelope: orders or payments")
            elif not isinstance(value, bool):
                raise InvalidSetting(f"{name}: true or false")
        self.switches = replace(self.switches, **wanted)
        self._store.save_setting("switches", asdict(self.switches))
        return self.switches

    def reset(self) -> None:
        """Set all switches as they are at first."""
        self.switches = Switches()
