"""RBAC as an API server evaluates it: roles, bindings of groups, verbs, resources, names.

Discovery is everybody's. A server-side apply of what is not there needs `create` besides `patch`,
in a dry run too. https://kubernetes.io/docs/reference/access-authn-authz/authorization/
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from k8s.manifests import Manifest
from tests.k8s_kinds import Place

_VERBS = {"POST": "create", "PATCH": "patch", "PUT": "update", "DELETE": "delete"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """What somebody wants to do; `resource` has its subresource behind a slash."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str

    def __str__(self) -> str:
        where = f' in the namespace "{self.namespace}"' if self.namespace else ""
        return (
            f'{self.resource} "{self.name}" is forbidden: cannot {self.verb} resource'
            f' "{self.resource}" in API group "{self.group}"{where}'
        )


def asks(method: str, place: Place, *, watches: bool, is_there: bool) -> Iterator[Ask]:
    """Give what a request needs; `is_there` tells whether its object exists."""
    reading = "get" if place.name else "list"
    verb = "watch" if watches else _VERBS.get(method, reading)
    ask = Ask(
        verb=verb,
        group=place.kind.group,
        resource=f"{place.kind.plural}/{place.sub}" if place.sub else place.kind.plural,
        namespace=place.namespace,
        name=place.name,
    )
    yield ask
    if verb == "patch" and not is_there:
        yield replace(ask, verb="create")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rights:
    """What the members of a group may do by these roles and bindings, and nothing else."""

    objects: Sequence[Manifest]
    group: str

    def allow(self, ask: Ask) -> bool:
        """Tell whether a rule allows it."""
        return any(_covers(rule, ask) for rule in self._rules(ask.namespace))

    def _rules(self, namespace: str) -> Iterator[Mapping[str, Any]]:
        roles = {(it.kind, it.namespace, it.name): it for it in self.objects}
        for binding in self.objects:
            if binding.kind not in ("RoleBinding", "ClusterRoleBinding"):
                continue
            if not any(_is_group(it, self.group) for it in binding.body["subjects"]):
                continue
            if binding.kind == "RoleBinding" and binding.namespace != namespace:
                continue
            role = binding.body["roleRef"]
            place = binding.namespace if role["kind"] == "Role" else ""
            yield from roles[role["kind"], place, role["name"]].body["rules"]


def _is_group(subject: Mapping[str, Any], group: str) -> bool:
    return subject["kind"] == "Group" and subject["name"] == group


def _covers(rule: Mapping[str, Any], ask: Ask) -> bool:
    names = rule.get("resourceNames")
    return (
        ask.verb in rule["verbs"]
        and ask.group in rule["apiGroups"]
        and ask.resource in rule["resources"]
        # Whoever lists names nobody, so a rule with names does not cover that.
        and (not names or ask.name in names)
    )
