"""What the stand-in for an API server remembers: objects, who owns their fields, what happened."""

import copy
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.k8s_fields import Leaves, Path, fields_v1, flatten, owned_part, unflatten, written
from tests.k8s_kinds import Kind, typing_faults

Body = dict[str, Any]


class Status(Exception):
    """An answer that is a refusal, as `kind: Status`."""

    def __init__(self, code: int, reason: str, message: str, causes: list[Body] | None = None):
        super().__init__(message)
        self.code = code
        self.body: Body = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "code": code,
            **({"reason": reason} if reason else {}),
            **({"details": {"causes": causes}} if causes else {}),
        }


@dataclass
class Stored:
    """An object, and which manager owns which of its fields by which operation."""

    kind: Kind
    body: Body
    owners: dict[tuple[str, str], frozenset[Path]] = field(default_factory=dict)

    def shown(self) -> Body:
        body = copy.deepcopy(self.body)
        body["metadata"]["managedFields"] = [
            {
                "manager": manager,
                "operation": operation,
                "apiVersion": self.kind.api_version,
                "fieldsType": "FieldsV1",
                "fieldsV1": fields_v1(paths),
            }
            for (manager, operation), paths in sorted(self.owners.items())
        ]
        return body


@dataclass(frozen=True, kw_only=True)
class Change:
    """One line of the log that watches replay."""

    version: int
    type: str
    kind: Kind
    body: Body


@dataclass(frozen=True, kw_only=True)
class Wish:
    """An apply as it was asked for."""

    manager: str
    is_forced: bool = False
    is_dry_run: bool = False


class Store:
    """All objects of a cluster, in memory, behind one lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.objects: dict[tuple[str, str, str], Stored] = {}
        self.log: list[Change] = []
        self._version = 100

    @property
    def version(self) -> int:
        return self._version

    def get(self, kind: Kind, namespace: str, name: str) -> Stored:
        try:
            return self.objects[kind.plural, namespace, name]
        except KeyError:
            raise _missing(kind, name) from None

    def apply(self, kind: Kind, namespace: str, name: str, body: Body, wish: Wish) -> Body:
        """Server-side apply; refuse as the real one was seen to."""
        _refuse_form(kind, body, wish)
        live = self.objects.get((kind.plural, namespace, name))
        self._refuse_place(kind, namespace)
        wanted = owned_part(flatten(_defaulted(kind, body)))
        before = owned_part(flatten(_plain(live.body))) if live else {}
        owners = dict(live.owners) if live else {}
        _settle_conflicts(before, wanted, owners=owners, wish=wish)
        mine = (wish.manager, "Apply")
        others = {path for who, paths in owners.items() if who != mine for path in paths}
        dropped = owners.get(mine, frozenset()) - set(wanted) - others
        merged = {path: value for path, value in before.items() if path not in dropped} | wanted
        # Only a field whose new value is somebody else's too is shared; the rest is ours alone.
        owners[mine] = frozenset(owned_part(flatten(body)))
        _refuse_immutable(kind, name, before, merged)
        return self._write(kind, namespace, name, merged, owners, live, is_dry_run=wish.is_dry_run)

    def update(self, kind: Kind, namespace: str, name: str, body: Body, *, manager: str) -> Body:
        """Write a whole object, as PUT and plain patches do; the writer owns what it changed."""
        live = self.get(kind, namespace, name)
        before = owned_part(flatten(_plain(live.body)))
        after = owned_part(flatten(_plain(body)))
        _refuse_immutable(kind, name, before, after)
        changed = frozenset(path for path, value in after.items() if before.get(path) != value)
        owners = {who: paths - changed for who, paths in live.owners.items()}
        mine = (manager, "Update")
        owners[mine] = owners.get(mine, frozenset()) | changed
        return self._write(kind, namespace, name, after, owners, live, is_dry_run=False)

    def create(self, kind: Kind, namespace: str, body: Body, *, manager: str) -> Body:
        name = body["metadata"]["name"]
        self._refuse_place(kind, namespace)
        if (kind.plural, namespace, name) in self.objects:
            raise Status(409, "AlreadyExists", f'{kind.plural} "{name}" already exists')
        leaves = owned_part(flatten(_defaulted(kind, body)))
        owners = {(manager, "Update"): frozenset(leaves)}
        return self._write(kind, namespace, name, leaves, owners, None, is_dry_run=False)

    def delete(self, kind: Kind, namespace: str, name: str) -> Body:
        stored = self.get(kind, namespace, name)
        with self.changed:
            del self.objects[kind.plural, namespace, name]
            self._tell("DELETED", stored)
        return stored.shown()

    def set_status(self, stored: Stored, change: Callable[[Body], None]) -> None:
        """Change the status, as a controller does; the generation stays."""
        with self.changed:
            change(stored.body.setdefault("status", {}))
            self._tell("MODIFIED", stored)

    def _write(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        leaves: Leaves,
        owners: dict[tuple[str, str], frozenset[Path]],
        live: Stored | None,
        *,
        is_dry_run: bool,
    ) -> Body:
        body = unflatten(leaves)
        body |= {"apiVersion": kind.api_version, "kind": kind.kind}
        old: Body = live.body["metadata"] if live else {}
        metadata = {**body.get("metadata", {}), "name": name}
        metadata |= {"namespace": namespace} if kind.is_namespaced else {}
        is_moved = live is None or live.body.get("spec") != body.get("spec")
        body["metadata"] = metadata | {
            "uid": old.get("uid") or str(uuid.uuid4()),
            "creationTimestamp": old.get("creationTimestamp")
            or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "generation": old.get("generation", 0) + is_moved,
            "resourceVersion": old.get("resourceVersion", "0"),
        }
        if live is not None and "status" in live.body:
            body["status"] = live.body["status"]
        stored = Stored(kind=kind, body=body, owners={k: v for k, v in owners.items() if v})
        if is_dry_run:
            return stored.shown()
        is_same = live is not None and live.body == body and live.owners == stored.owners
        if not is_same:
            with self.changed:
                self.objects[kind.plural, namespace, name] = stored
                self._tell("MODIFIED" if live else "ADDED", stored)
        return stored.shown()

    def _tell(self, what: str, stored: Stored) -> None:
        self._version += 1
        stored.body["metadata"]["resourceVersion"] = str(self._version)
        self.log.append(
            Change(version=self._version, type=what, kind=stored.kind, body=stored.shown())
        )
        self.changed.notify_all()

    def _refuse_place(self, kind: Kind, namespace: str) -> None:
        if kind.is_namespaced and ("namespaces", "", namespace) not in self.objects:
            raise Status(404, "NotFound", f'namespaces "{namespace}" not found')


def _missing(kind: Kind, name: str) -> Status:
    group = f".{kind.group}" if kind.group else ""
    return Status(404, "NotFound", f'{kind.plural}{group} "{name}" not found')


def _plain(body: Body) -> Body:
    """Leave out what the server writes itself."""
    metadata = {
        key: value
        for key, value in body["metadata"].items()
        if key not in ("uid", "creationTimestamp", "generation", "resourceVersion", "managedFields")
    }
    return {**body, "metadata": metadata}


def _defaulted(kind: Kind, body: Body) -> Body:
    plain = _plain(body)
    if kind.kind == "Deployment" and "replicas" not in plain.get("spec", {}):
        # The trap: whoever owned the number and drops it resets it to one.
        return {**plain, "spec": {**plain.get("spec", {}), "replicas": _KEEP}}
    return plain


class _Keep:
    """Stands for a number that the manifest does not say."""


_KEEP = _Keep()


def _settle_conflicts(
    before: Leaves,
    wanted: Leaves,
    *,
    owners: dict[tuple[str, str], frozenset[Path]],
    wish: Wish,
) -> None:
    """Refuse to take fields from others, or take them by force; resolve what is defaulted."""
    replicas = ("spec", "replicas")
    if wanted.get(replicas) is _KEEP:
        is_others = any(
            replicas in paths for who, paths in owners.items() if who != (wish.manager, "Apply")
        )
        was_mine = replicas in owners.get((wish.manager, "Apply"), frozenset())
        keeps = replicas in before and (is_others or not was_mine)
        wanted[replicas] = before[replicas] if keeps else 1
    causes = []
    for who, paths in list(owners.items()):
        if who == (wish.manager, "Apply"):
            continue
        taken = frozenset(p for p in paths if p in wanted and before.get(p) != wanted[p])
        causes += [
            {
                "reason": "FieldManagerConflict",
                "message": f'conflict with "{who[0]}" using {who[1]}',
                "field": written(path),
            }
            for path in sorted(taken)
        ]
        owners[who] = paths - taken
    if causes and not wish.is_forced:
        count = f"{len(causes)} conflict" + ("s" if len(causes) > 1 else "")
        raise Status(409, "Conflict", f"Apply failed with {count}", causes)


def _refuse_form(kind: Kind, body: Body, wish: Wish) -> None:
    if not wish.manager:
        raise Status(
            422, "Invalid", "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value"
        )
    if body.get("metadata", {}).get("managedFields"):
        raise Status(400, "BadRequest", "metadata.managedFields must be nil")
    if faults := typing_faults(kind, body):
        raise Status(500, "", f"failed to create typed patch object: {faults[0]}")
    selector = (body.get("spec") or {}).get("selector")
    if kind.kind == "Deployment" and not selector:
        raise Status(422, "Invalid", "spec.selector: Required value")


def _refuse_immutable(
    kind: Kind, name: str, before: Mapping[Path, Any], after: Mapping[Path, Any]
) -> None:
    fixed: tuple[Path, ...] = {
        "Deployment": (("spec", "selector"),),
        "Job": (("spec", "template"), ("spec", "selector")),
    }.get(kind.kind, ())
    for path in fixed:
        old = {p: v for p, v in before.items() if p[: len(path)] == path}
        new = {p: v for p, v in after.items() if p[: len(path)] == path}
        if old and old != new:
            message = f'{kind.kind} "{name}" is invalid: {".".join(path)}: field is immutable'
            raise Status(422, "Invalid", message)


def refuse_stale(stored: Stored, body: Body) -> None:
    """Refuse a body that carries an older version than the object has."""
    given = body.get("metadata", {}).get("resourceVersion")
    if given is not None and given != stored.body["metadata"]["resourceVersion"]:
        raise Status(409, "Conflict", "the object has been modified; please apply your changes")
