"""The Pix BR Code: EMV tag-length-value text with a CRC (Central Bank, "Manual do BR Code")."""

import re
from binascii import crc_hqx
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from comanda.money import ZERO, InvalidMoney, Money

KEY = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
_CRC_HEAD = "6304"
_LONGEST = 512
_TXID = re.compile(r"[A-Za-z0-9]{1,35}|\*\*\*", re.ASCII)
_CRC = re.compile(r"[0-9A-Fa-f]{4}", re.ASCII)
_LENGTH = re.compile(r"[0-9]{4}", re.ASCII)


class Fault(StrEnum):
    """Why a text is no payable Pix code."""

    NOT_A_CODE = "this is no Pix code"
    WRONG_CRC = "the code was changed: its CRC is wrong"
    BROKEN_FIELDS = "a field is longer than the code, or has no length"
    REPEATED_FIELD = "a field stands twice"
    NOT_PIX = "the code is not for Pix"
    WRONG_CURRENCY = "the code is not in reais"
    WRONG_AMOUNT = "the amount is not an amount of reais"
    WRONG_TXID = "the transaction id is malformed"


class InvalidBRCode(ValueError):
    """The text is not a BR Code that a bank could pay; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, kw_only=True, slots=True)
class PixCode:
    """What a bank's app reads off a code; a dynamic code has a `url` and often no amount."""

    amount: Money | None
    merchant: str
    city: str
    txid: str
    key: str
    url: str


def build(*, amount: Money, merchant: str, city: str, txid: str) -> str:
    """Write the static code of a charge."""
    account = _field("00", "br.gov.bcb.pix") + _field("01", KEY)
    return _sealed(
        _field("00", "01"),
        _field("26", account),
        *_middle(merchant, city, amount=amount),
        _field("62", _field("05", txid)),
    )


def build_dynamic(*, url: str, merchant: str, city: str) -> str:
    """Write the dynamic code of an in-store order, whose amount stands behind the address."""
    account = _field("00", "BR.GOV.BCB.PIX") + _field("25", url)
    return _sealed(
        _field("00", "01"),
        _field("01", "12"),
        _field("26", account),
        *_middle(merchant, city),
        _field("62", _field("05", "***")),
    )


def parse(text: str) -> PixCode:
    """Read a code as a bank's app would; raise `InvalidBRCode`."""
    is_plain = text.isascii() and text.isprintable() and 12 <= len(text) <= _LONGEST
    if not is_plain or text[-8:-4] != _CRC_HEAD or not _CRC.fullmatch(text[-4:]):
        raise InvalidBRCode(Fault.NOT_A_CODE)
    if crc(text[:-4]) != text[-4:].upper():
        raise InvalidBRCode(Fault.WRONG_CRC)
    fields = _fields(text[:-8])
    if fields.get("00") != "01":
        raise InvalidBRCode(Fault.NOT_A_CODE)
    account = _fields(fields.get("26", ""))
    if account.get("00", "").lower() != "br.gov.bcb.pix" or not account.keys() & {"01", "25"}:
        raise InvalidBRCode(Fault.NOT_PIX)
    if fields.get("53") != "986" or fields.get("58") != "BR":
        raise InvalidBRCode(Fault.WRONG_CURRENCY)
    return PixCode(
        amount=_amount(fields.get("54")),
        merchant=fields.get("59", ""),
        city=fields.get("60", ""),
        txid=_txid(_fields(fields.get("62", "")).get("05", "")),
        key=account.get("01", ""),
        url=account.get("25", ""),
    )


def crc(text: str) -> str:
    """Compute CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF) as four upper-case digits."""
    return f"{crc_hqx(text.encode(), 0xFFFF):04X}"


def plain_name(name: str, *, most: int) -> str:
    """Drop what is not ASCII, as the provider does, and cut to what the field may hold."""
    return "".join(letter for letter in name if " " <= letter <= "~")[:most].strip()


def _middle(merchant: str, city: str, *, amount: Money | None = None) -> Iterator[str]:
    yield _field("52", "0000")
    yield _field("53", "986")
    if amount is not None:
        yield _field("54", str(amount))
    yield _field("58", "BR")
    yield _field("59", plain_name(merchant, most=25))
    yield _field("60", plain_name(city, most=15))


def _sealed(*parts: str) -> str:
    text = "".join(parts) + _CRC_HEAD
    return text + crc(text)


def _amount(text: str | None) -> Money | None:
    if text is None:
        return None
    try:
        amount = Money.parse(text)
    except InvalidMoney as exc:
        raise InvalidBRCode(Fault.WRONG_AMOUNT) from exc
    if len(text) > 13 or amount == ZERO:
        raise InvalidBRCode(Fault.WRONG_AMOUNT)
    return amount


def _txid(text: str) -> str:
    if not _TXID.fullmatch(text):
        raise InvalidBRCode(Fault.WRONG_TXID)
    return text


def _field(name: str, content: str) -> str:
    return f"{name}{len(content):02d}{content}"


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        head = text[position : position + 4]
        if not _LENGTH.fullmatch(head):
            raise InvalidBRCode(Fault.BROKEN_FIELDS)
        end = position + 4 + int(head[2:])
        if end > len(text):
            raise InvalidBRCode(Fault.BROKEN_FIELDS)
        if head[:2] in found:
            raise InvalidBRCode(Fault.REPEATED_FIELD)
        found[head[:2]] = text[position + 4 : end]
        position = end
    return found
