"""Pictures of products: small files of three kinds, known by what they hold and not by what a
client says of them.
"""

import hashlib
from dataclasses import dataclass

from comanda.ids import ShopId

# A phone shows a dish well at 1200 x 1200 pixels, which a JPEG of this size holds with ease.
LARGEST_PICTURE = 512 * 1024


class InvalidPicture(ValueError):
    """Not a JPEG, PNG or WebP file of 1 byte to 512 KiB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A file of one shop; its digest is the SHA-256 of its bytes, in hex."""

    shop_id: ShopId
    digest: str
    media_type: str
    content: bytes


def picture_of(content: bytes, *, shop_id: ShopId) -> Picture:
    """Recognise a file; raise `InvalidPicture`."""
    if len(content) > LARGEST_PICTURE:
        raise InvalidPicture(f"a picture has at most {LARGEST_PICTURE} bytes")
    digest = hashlib.sha256(content).hexdigest()
    return Picture(shop_id=shop_id, digest=digest, media_type=_kind_of(content), content=content)


def _kind_of(content: bytes) -> str:
    if content.startswith(b"\xff\xd8\xff") and content.rstrip(b"\0").endswith(b"\xff\xd9"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    raise InvalidPicture("a JPEG, PNG or WebP picture is needed")
