"""The Pix BR Code: EMV tag-length-value text with a CRC (Central Bank, "Manual do BR Code")."""

from collections.abc import Iterator
from dataclasses import dataclass

KEY = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
_CRC_HEAD = "6304"


class InvalidBRCode(ValueError):
    """The text is not a BR Code: wrong lengths or a wrong CRC."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PixCode:
    """What a bank's app reads off a code."""

    amount: str
    merchant: str
    txid: str


def build(*, amount: str, merchant: str, city: str, txid: str) -> str:
    """Write the code of a charge; `amount` has a dot and two decimals."""
    account = _field("00", "br.gov.bcb.pix") + _field("01", KEY)
    text = "".join(
        (
            _field("00", "01"),
            _field("26", account),
            _field("52", "0000"),
            _field("53", "986"),
            _field("54", amount),
            _field("58", "BR"),
            _field("59", merchant[:25]),
            _field("60", city[:15]),
            _field("62", _field("05", txid[:25])),
            _CRC_HEAD,
        )
    )
    return text + crc(text)


def parse(text: str) -> PixCode:
    """Read a code as a bank's app would; raise `InvalidBRCode`."""
    if not text.isascii() or len(text) < 12 or text[-8:-4] != _CRC_HEAD:
        raise InvalidBRCode("this is no Pix code")
    if crc(text[:-4]) != text[-4:].upper():
        raise InvalidBRCode("the code was changed: its CRC is wrong")
    fields = dict(_fields(text[:-8]))
    further = dict(_fields(fields.get("62", "")))
    return PixCode(
        amount=fields.get("54", ""), merchant=fields.get("59", ""), txid=further.get("05", "")
    )


def crc(text: str) -> str:
    """Compute CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF) as four upper-case digits."""
    value = 0xFFFF
    for byte in text.encode():
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1) ^ 0x1021 if value & 0x8000 else value << 1
    return f"{value & 0xFFFF:04X}"


def _field(name: str, content: str) -> str:
    return f"{name}{len(content):02d}{content}"


def _fields(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        head = text[position : position + 4]
        if len(head) < 4 or not head.isdigit():
            raise InvalidBRCode("a field has no length")
        end = position + 4 + int(head[2:])
        if end > len(text):
            raise InvalidBRCode("a field is longer than the code")
        yield head[:2], text[position + 4 : end]
        position = end
