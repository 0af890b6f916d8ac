"""Refresh tokens: each is good once and makes the next; one that comes back ends its family.

A token names its owner and its family and holds a secret. The table keeps the secret's hash, and
Cognito's own refresh token sealed under the secret: a copy of the table refreshes nothing.
"""

import base64
import hmac
import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import uuid4

from comanda.ids import ShopId, is_id

from .refusals import SignInRefused
from .sealing import derive, seal, unseal
from .table import Change, ConditionFailed, Item, Key, Table

log = logging.getLogger("auth_lambda")
# As long as Cognito's refresh token lives; a family never outlives it.
VALID_FOR = timedelta(days=7)
TOKEN_LIMIT = 1024


class OwnerKind(StrEnum):
    """In which pool the owner is."""

    CUSTOMER = "customer"
    STAFF = "staff"


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """Who may refresh: a customer by id, or a member of staff by username; in one shop."""

    kind: OwnerKind
    shop_id: ShopId
    name: str

    @property
    def partition(self) -> str:
        """Give the key under which everything of this owner lies."""
        if self.kind is OwnerKind.CUSTOMER:
            return f"CUSTOMER#{self.name}"
        return f"STAFF#{self.shop_id}#{self.name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A good refresh token, and Cognito's that it stands for."""

    owner: Owner
    family: str
    secret_hash: str
    inner: str


class Families:
    """Begin, rotate and end families of refresh tokens."""

    def __init__(self, table: Table, *, clock: Callable[[], datetime]) -> None:
        self._table = table
        self._clock = clock

    def begin(self, owner: Owner, *, inner: str) -> str:
        """Give the first token of a new family."""
        family, secret = str(uuid4()), _new_secret()
        ends = int((self._clock() + VALID_FOR).timestamp())
        self._table.put(
            _key(owner, family), {**_secrets(secret, inner, family=family), "expires_at": ends}
        )
        return _token(owner, family, secret)

    def open(self, shop_id: ShopId, token: str) -> Held:
        """Check a token; raise `SignInRefused`, having ended the family of one that was used."""
        owner, family, secret = _parse(token)
        item = self._table.get(_key(owner, family)) if owner.shop_id == shop_id else None
        if item is None or int(item["expires_at"]) <= self._clock().timestamp():
            raise SignInRefused
        if not hmac.compare_digest(_hash(secret), str(item["secret_hash"])):
            self.revoke(owner, family, reason="reused")
            raise SignInRefused
        inner = unseal(derive(secret.encode(), "refresh"), str(item["sealed"]), place=family)
        return Held(owner=owner, family=family, secret_hash=_hash(secret), inner=inner)

    def rotate(self, held: Held) -> str:
        """Give the next token; raise `SignInRefused` when a twin was faster: one was stolen."""
        secret = _new_secret()
        fresh = _secrets(secret, held.inner, family=held.family)
        change = Change(
            update="SET secret_hash = :next, sealed = :sealed",
            condition="secret_hash = :known",
            values={
                ":next": fresh["secret_hash"],
                ":sealed": fresh["sealed"],
                ":known": held.secret_hash,
            },
        )
        try:
            self._table.update(_key(held.owner, held.family), change)
        except ConditionFailed as exc:
            self.revoke(held.owner, held.family, reason="raced")
            raise SignInRefused from exc
        return _token(held.owner, held.family, secret)

    def revoke(self, owner: Owner, family: str, *, reason: str) -> None:
        """End one family."""
        self._table.delete(_key(owner, family))
        log.warning("refresh family ended", extra={"family": family, "reason": reason})

    def revoke_all(self, owner: Owner) -> int:
        """End all families of an owner, and tell how many there were."""
        keys = self._table.keys(owner.partition, prefix="FAMILY#")
        for key in keys:
            self._table.delete(key)
        return len(keys)


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


def _secrets(secret: str, inner: str, *, family: str) -> Item:
    sealed = seal(derive(secret.encode(), "refresh"), inner, place=family)
    return {"secret_hash": _hash(secret), "sealed": sealed}


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _key(owner: Owner, family: str) -> Key:
    return Key(pk=owner.partition, sk=f"FAMILY#{family}")


def _token(owner: Owner, family: str, secret: str) -> str:
    named = json.dumps([owner.kind, owner.shop_id, owner.name]).encode()
    return f"{base64.urlsafe_b64encode(named).decode().rstrip('=')}.{family}.{secret}"


def _parse(token: str) -> tuple[Owner, str, str]:
    try:
        named, family, secret = token.split(".")
        kind, shop_id, name = json.loads(base64.urlsafe_b64decode(named + "=" * (-len(named) % 4)))
        owner = Owner(kind=OwnerKind(kind), shop_id=ShopId(shop_id), name=name)
    except (ValueError, TypeError, RecursionError) as exc:
        raise SignInRefused from exc
    if not isinstance(name, str) or not name or not is_id(family):
        raise SignInRefused
    return owner, family, secret
