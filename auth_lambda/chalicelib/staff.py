"""What owners do with their staff: invite, disable, change groups; each act is on record."""

import secrets
from dataclasses import dataclass, replace
from typing import Any

from comanda.cpf import CPF
from comanda.ids import ShopId

from .audit import Act, Audit
from .families import Families, Owner, OwnerKind
from .mail import Mailer
from .pseudonyms import Pseudonyms
from .registry import CustomerRegistry
from .staff_pool import Member, StaffPool


class UnknownMember(Exception):
    """Nobody of this username works in this shop."""


class OwnAccount(Exception):
    """Owners do not lock themselves out: somebody else must change their account."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StaffChange:
    """What changes of a member, and why; what is None stays."""

    groups: tuple[str, ...] | None
    is_enabled: bool | None
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StaffDesk:
    """Manage the staff of a shop, in the name of an owner (`who`, a username)."""

    pool: StaffPool
    registry: CustomerRegistry
    families: Families
    audit: Audit
    mailer: Mailer
    pseudonyms: Pseudonyms

    def invite(self, shop_id: ShopId, member: Member, *, who: str, why: str) -> None:
        """Make an account and mail its first password; raise `UsernameTaken`."""
        password = f"aA1!{secrets.token_urlsafe(12)}"
        act = Act(
            who=who, what="staff.invited", whom=member.username, why=why, after=_described(member)
        )
        key = self.audit.record(shop_id, act)
        self.pool.invite(shop_id, member, password=password)
        self.mailer.send_invitation(member.email, username=member.username, password=password)
        self.audit.finish(key)

    def change(self, shop_id: ShopId, username: str, change: StaffChange, *, who: str) -> Member:
        """Change a member's groups or whether they get in; raise `UnknownMember`, `OwnAccount`."""
        before = self.pool.find(shop_id, username)
        if before is None:
            raise UnknownMember
        if username == who:
            raise OwnAccount
        after = replace(
            before,
            groups=before.groups if change.groups is None else change.groups,
            is_enabled=before.is_enabled if change.is_enabled is None else change.is_enabled,
        )
        act = Act(
            who=who,
            what="staff.changed",
            whom=username,
            why=change.why,
            before=_described(before),
            after=_described(after),
        )
        key = self.audit.record(shop_id, act)
        self.pool.set_groups(username, before=before.groups, after=after.groups)
        if after.is_enabled != before.is_enabled:
            self.pool.set_enabled(username, is_enabled=after.is_enabled)
        # Tokens of before must not be renewed; those that are out last 15 minutes at most.
        self.families.revoke_all(Owner(kind=OwnerKind.STAFF, shop_id=shop_id, name=username))
        self.pool.sign_out(username)
        self.audit.finish(key)
        return after

    def reset_totp(self, shop_id: ShopId, username: str, *, who: str, why: str) -> None:
        """Let a member in without the app that they lost; raise `UnknownMember`, `OwnAccount`."""
        if self.pool.find(shop_id, username) is None:
            raise UnknownMember
        if username == who:
            raise OwnAccount
        act = Act(who=who, what="staff.totp.reset", whom=username, why=why)
        key = self.audit.record(shop_id, act)
        self.pool.prefer_totp(username, is_wanted=False)
        self.families.revoke_all(Owner(kind=OwnerKind.STAFF, shop_id=shop_id, name=username))
        self.pool.sign_out(username)
        self.audit.finish(key)

    def release_cpf(self, shop_id: ShopId, cpf: CPF, *, who: str, why: str) -> None:
        """Take a CPF from the account that claimed it; its true owner has shown a document."""
        name = self.pseudonyms.of(cpf)
        holder = self.registry.find(shop_id, name)
        registration = self.registry.get(holder) if holder else None
        whom = holder or "nobody"
        key = self.audit.record(
            shop_id, Act(who=who, what="cpf.released", whom=f"customer {whom}", why=why)
        )
        if registration is not None:
            self.registry.give_up_cpf(registration)
        self.audit.finish(key)


def described(member: Member) -> dict[str, Any]:
    """Give a member as JSON."""
    return {"username": member.username, "email": member.email, **_described(member)}


def _described(member: Member) -> dict[str, Any]:
    return {"groups": list(member.groups), "is_enabled": member.is_enabled}
