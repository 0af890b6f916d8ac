"""What a menu says of a product, what it may say, and how it is found."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from comanda.ids import ProductId, ShopId
from comanda.menu import MOST_GROUPS, MOST_OPTIONS, Category, ComboSlot, OptionGroup
from comanda.money import ZERO, Money

LONGEST_NAME = 60
LONGEST_DESCRIPTION = 280
LAST_POSITION = 9999
MOST_PRODUCTS = 1000
# A dearer dish is a slip of the finger; `Money` itself goes far higher.
DEAREST = Money.parse("99999.99")

_PART_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_ACCENTED = "áàâãäçéèêëíìîïñóòôõöúùûü"
_PLAIN = str.maketrans(_ACCENTED, "aaaaaceeeeiiiinooooouuuu")


class InvalidProduct(ValueError):
    """No menu can say this of a product; `field` names the faulty part."""

    def __init__(self, field: str, fault: str) -> None:
        super().__init__(f"{field}: {fault}")
        self.field = field
        self.fault = fault


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """What the menu says of one product; a higher version is newer.

    Only of what `is_stocked` are there so many and no more. One with `slots` is a combo. `picture`
    is the digest of its bytes, or empty. `position` orders a shelf; equal ones go by name.
    """

    id: ProductId
    shop_id: ShopId
    version: int
    name: str
    category: Category
    price: Money
    is_available: bool
    is_removed: bool = False
    description: str = ""
    position: int = 0
    is_stocked: bool = True
    option_groups: tuple[OptionGroup, ...] = ()
    slots: tuple[ComboSlot, ...] = ()
    picture: str = ""

    def differs_from(self, other: "Product") -> bool:
        """Tell whether the two say different things, whatever their versions."""
        return replace(self, version=other.version) != other

    def says_the_same_as(self, other: "Product") -> bool:
        """Tell whether only availability or retirement differ."""
        like = replace(self, is_available=other.is_available, is_removed=other.is_removed)
        return not like.differs_from(other)

    @property
    def is_plain(self) -> bool:
        """Tell whether it can be had without any choice, and so in a combo."""
        return not self.slots and not any(group.is_required for group in self.option_groups)

    @property
    def name_key(self) -> str:
        """Give what no two products of a menu share."""
        return folded(self.name)

    @property
    def picture_url(self) -> str:
        """Give the path of the picture at the edge; empty without one."""
        if not self.picture:
            return ""
        return f"/apis/catalog/{self.shop_id}/pictures/{self.picture}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """What a product cost from an instant on, and who said so."""

    version: int
    price: Money
    author: str
    since: datetime


def folded(text: str) -> str:
    """Give the text without case, accents and doubled spaces, for comparing and searching."""
    return " ".join(unicodedata.normalize("NFC", text).lower().translate(_PLAIN).split())


def tidy(text: str) -> str:
    """Compose accents and trim; what looks the same is the same."""
    return unicodedata.normalize("NFC", text).strip()


def check(product: Product) -> None:
    """Refuse what no menu can say; raise `InvalidProduct`."""
    _check_text("name", product.name, longest=LONGEST_NAME)
    if product.description:
        _check_text("description", product.description, longest=LONGEST_DESCRIPTION)
    if not ZERO < product.price <= DEAREST:
        raise InvalidProduct("price", f"a price is above 0 and at most {DEAREST}")
    if not 0 <= product.position <= LAST_POSITION:
        raise InvalidProduct("position", f"a position is 0 to {LAST_POSITION}")
    ids = [group.id for group in product.option_groups] + [slot.id for slot in product.slots]
    _check_ids("option_groups", ids)
    if len(product.option_groups) + len(product.slots) > MOST_GROUPS:
        raise InvalidProduct("option_groups", f"at most {MOST_GROUPS} groups and slots")
    for group in product.option_groups:
        _check_group(group)
    for slot in product.slots:
        _check_slot(slot, of=product)


def check_parts(product: Product, *, others: Mapping[ProductId, Product]) -> None:
    """Refuse combos that do not hold together on this menu; raise `InvalidProduct`."""
    for slot in product.slots:
        field = f"slots.{slot.id}.product_ids"
        for part in map(others.get, slot.product_ids):
            if part is None or part.is_removed:
                raise InvalidProduct(field, "each product of a slot is on the menu")
            if not part.is_plain:
                raise InvalidProduct(field, "what is a combo or needs a choice fits in no combo")
    if not product.is_plain and any(_holds(other, product.id) for other in others.values()):
        raise InvalidProduct("option_groups", "a combo holds it, so it may need no choice")


def _holds(combo: Product, product_id: ProductId) -> bool:
    return not combo.is_removed and any(product_id in slot.product_ids for slot in combo.slots)


def _check_group(group: OptionGroup) -> None:
    place = f"option_groups.{group.id}"
    _check_text(f"{place}.name", group.name, longest=LONGEST_NAME)
    _check_ids(f"{place}.options", [option.id for option in group.options])
    if not 1 <= len(group.options) <= MOST_OPTIONS:
        raise InvalidProduct(f"{place}.options", f"a group has 1 to {MOST_OPTIONS} options")
    least = 1 if group.is_required else 0
    if not least <= group.minimum <= group.maximum <= len(group.options) or group.maximum < 1:
        need = "at least 1 if required, minimum to maximum, and no more than there are options"
        raise InvalidProduct(f"{place}.minimum", need)
    for option in group.options:
        _check_text(f"{place}.options.{option.id}.name", option.name, longest=LONGEST_NAME)
        if option.price > DEAREST:
            raise InvalidProduct(f"{place}.options.{option.id}.price", f"at most {DEAREST}")


def _check_slot(slot: ComboSlot, *, of: Product) -> None:
    place = f"slots.{slot.id}"
    _check_text(f"{place}.name", slot.name, longest=LONGEST_NAME)
    if not 1 <= len(slot.product_ids) <= MOST_OPTIONS:
        raise InvalidProduct(f"{place}.product_ids", f"a slot takes 1 to {MOST_OPTIONS} products")
    if len(set(slot.product_ids)) < len(slot.product_ids):
        raise InvalidProduct(f"{place}.product_ids", "each product stands once in a slot")
    if of.id in slot.product_ids:
        raise InvalidProduct(f"{place}.product_ids", "a combo cannot hold itself")


def _check_text(field: str, text: str, *, longest: int) -> None:
    if not 1 <= len(text) <= longest:
        raise InvalidProduct(field, f"1 to {longest} characters are needed")
    # Control and format characters can hide or turn round what the kitchen reads.
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn") for sign in text):
        raise InvalidProduct(field, "plain printable text is needed")
    if text != tidy(text):
        raise InvalidProduct(field, "no space at the ends, and composed accents")


def _check_ids(field: str, ids: Sequence[str]) -> None:
    if len(set(ids)) < len(ids):
        raise InvalidProduct(field, "two parts have one id")
    for part_id in ids:
        if not _PART_ID.fullmatch(part_id):
            raise InvalidProduct(field, "an id is 1 to 40 lower-case letters, digits and hyphens")
