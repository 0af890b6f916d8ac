"""An API server in this process: discovery, reading, writing, server-side apply, dry run, watches.

It behaves as a real one was measured to (infra facts; `tests/contract/test_k8s_api.py` is that
table), and kubectl itself works against it.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.k8s_controllers import Controllers
from tests.k8s_kinds import BUILT_IN, Kind, Place
from tests.k8s_rights import Ask, Rights, asks
from tests.k8s_store import Body, Status, Store, Wish, refuse_stale

_VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.2"}
_APPLY = "application/apply-patch+yaml"


class FakeApiServer:
    """A cluster without nodes."""

    def __init__(self, kinds: Sequence[Kind] = BUILT_IN) -> None:
        self.store = Store()
        self.controllers = Controllers(self.store)
        self.kinds = tuple(kinds)
        self.requests: list[str] = []
        self.failing: list[Status] = []
        self.rights: Rights | None = None  # Without them everybody is an administrator.
        self.asked: list[Ask] = []
        self.port = 0

    def place(self, path: str) -> Place:
        for kind in self.kinds:
            rest = path.removeprefix(kind.prefix + "/").split("/")
            if not path.startswith(kind.prefix + "/"):
                continue
            if rest[0] == "namespaces" and len(rest) > 2 and kind.is_namespaced:
                namespace, rest = rest[1], rest[2:]
            else:
                namespace = ""
            if rest[0] == kind.plural and len(rest) < 4 and rest[2:] in ([], ["status"], ["scale"]):
                name, sub = (*rest[1:], "", "")[:2]
                return Place(kind=kind, namespace=namespace, name=name, sub=sub)
        raise Status(404, "NotFound", "the server could not find the requested resource")

    def discovery(self, path: str) -> Body | None:
        if path == "/version":
            return _VERSION
        if path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        if path == "/apis":
            groups = sorted({(kind.group, kind.version) for kind in self.kinds if kind.group})
            return {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": [_group(*group) for group in groups],
            }
        if path == "/openapi/v3":
            prefixes = {kind.prefix for kind in self.kinds}
            return {"paths": {it[1:]: {"serverRelativeURL": f"/openapi/v3{it}"} for it in prefixes}}
        if path.startswith("/openapi/v3/"):
            return _openapi([it for it in self.kinds if it.prefix == path[len("/openapi/v3") :]])
        inside = [kind for kind in self.kinds if kind.prefix == path]
        if not inside:
            return None
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": inside[0].api_version,
            "resources": [
                {
                    "name": kind.plural,
                    "singularName": kind.kind.lower(),
                    "shortNames": ["deploy"] if kind.kind == "Deployment" else [],
                    "namespaced": kind.is_namespaced,
                    "kind": kind.kind,
                    "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"],
                }
                for kind in inside
            ],
        }


def _group(group: str, version: str) -> Body:
    described = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [described], "preferredVersion": described}


def _openapi(kinds: Sequence[Kind]) -> Body:
    """Say no more than what kubectl looks for: that the server validates fields itself."""
    paths = {}
    for kind in kinds:
        place = "/namespaces/{namespace}" if kind.is_namespaced else ""
        named = {"group": kind.group, "version": kind.version, "kind": kind.kind}
        asked = [{"name": name, "in": "query"} for name in ("dryRun", "fieldValidation")]
        paths[f"{kind.prefix}{place}/{kind.plural}/{{name}}"] = {
            "patch": {"x-kubernetes-group-version-kind": named, "parameters": asked}
        }
    return {"openapi": "3.0.0", "info": {"title": "fake", "version": "1"}, "paths": paths}


class _Handler(BaseHTTPRequestHandler):
    cluster: FakeApiServer
    protocol_version = "HTTP/1.1"
    # One packet an answer: two would wait for each other's acknowledgement, 40 ms each time.
    wbufsize = -1

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        address = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(address.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        body = yaml.safe_load(self.rfile.read(length)) if length else None
        self.cluster.requests.append(f"{self.command} {self.path}")
        try:
            if self.cluster.failing:
                raise self.cluster.failing.pop(0)
            if (found := self.cluster.discovery(address.path)) is not None:
                self._send(200, found)
                return
            place = self.cluster.place(address.path)
            watches = query.get("watch") in ("true", "True", "1")
            self._authorize(place, watches=watches)
            if watches:
                self._watch(place, query)
                return
            with self.cluster.store.lock:
                code, answer = self._do(place, query, body)
            self._send(code, answer)
        except Status as refusal:
            self._send(refusal.code, refusal.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815  # Their names.

    def _authorize(self, place: Place, *, watches: bool) -> None:
        key = (place.kind.plural, place.namespace, place.name)
        is_there = key in self.cluster.store.objects
        for ask in asks(self.command, place, watches=watches, is_there=is_there):
            self.cluster.asked.append(ask)
            if self.cluster.rights is not None and not self.cluster.rights.allow(ask):
                raise Status(403, "Forbidden", str(ask))

    def _do(self, place: Place, query: dict[str, str], body: Body | None) -> tuple[int, Body]:
        store, kind = self.cluster.store, place.kind
        manager = query.get("fieldManager", "")
        if self.command == "GET":
            if place.name:
                return 200, store.get(kind, place.namespace, place.name).shown()
            return 200, _listed(store, place, query)
        assert body is not None or self.command == "DELETE"
        if self.command == "POST":
            return 201, store.create(kind, place.namespace, body, manager=manager or "client")
        if self.command == "DELETE":
            return 200, store.delete(kind, place.namespace, place.name)
        live = store.objects.get((kind.plural, place.namespace, place.name))
        if live is not None:
            refuse_stale(live, body)
        if self.headers["Content-Type"] == _APPLY:
            wish = Wish(
                manager=manager,
                is_forced=query.get("force") in ("true", "True"),
                is_dry_run=query.get("dryRun") == "All",
            )
            code = 200 if live else 201
            return code, store.apply(kind, place.namespace, place.name, body, wish)
        merged = (
            body
            if self.command == "PUT"
            else _merged(store.get(kind, place.namespace, place.name).shown(), body)
        )
        return 200, store.update(
            kind, place.namespace, place.name, merged, manager=manager or "client"
        )

    def _watch(self, place: Place, query: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        seen = int(query.get("resourceVersion") or 0)
        names = query.get("fieldSelector", "").removeprefix("metadata.name=")
        deadline = float(query.get("timeoutSeconds") or 30)
        with self.cluster.store.changed:
            while True:
                for change in [it for it in self.cluster.store.log if it.version > seen]:
                    seen = change.version
                    is_named = not names or change.body["metadata"]["name"] == names
                    if change.kind == place.kind and is_named:
                        line = json.dumps({"type": change.type, "object": change.body}) + "\n"
                        self.wfile.write(line.encode())
                        self.wfile.flush()
                if not self.cluster.store.changed.wait(deadline):
                    break
        self.close_connection = True

    def _send(self, code: int, body: Body) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _handler(server: FakeApiServer) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Handler,), {"cluster": server})


def _listed(store: Store, place: Place, query: dict[str, str]) -> Body:
    wanted = [part.partition("=") for part in query.get("labelSelector", "").split(",") if part]
    fields = [part.partition("=") for part in query.get("fieldSelector", "").split(",") if part]
    items = []
    for (plural, namespace, name), stored in store.objects.items():
        labels = stored.body["metadata"].get("labels") or {}
        if plural != place.kind.plural or place.namespace not in ("", namespace):
            continue
        if any(path == "metadata.name" and name != value for path, _, value in fields):
            continue
        if all(key in labels and (not sign or labels[key] == value) for key, sign, value in wanted):
            shown = stored.shown()
            items.append({k: v for k, v in shown.items() if k not in ("apiVersion", "kind")})
    return {
        "kind": f"{place.kind.kind}List",
        "apiVersion": place.kind.api_version,
        "metadata": {"resourceVersion": str(store.version)},
        "items": items,
    }


def _merged(old: Body, change: Body) -> Body:
    """Merge as RFC 7396 does, enough for `kubectl scale` and `set image`."""
    result = dict(old)
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = _merged(result[key], value)
        elif key == "containers" and isinstance(value, list):
            named = {item["name"]: item for item in result.get(key, [])}
            result[key] = list(
                (
                    named | {it["name"]: _merged(named.get(it["name"], {}), it) for it in value}
                ).values()
            )
        else:
            result[key] = value
    return result


@contextmanager
def running(server: FakeApiServer) -> Iterator[FakeApiServer]:
    """Serve on a free port of the loopback until the end of the block."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    http.daemon_threads = True
    server.port = int(http.server_address[1])
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()


def write_kubeconfig(server: FakeApiServer, file: Path) -> Path:
    """Write what leads kubectl and our client to this server."""
    address = f"http://127.0.0.1:{server.port}"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "fake", "cluster": {"server": address}}],
        "users": [{"name": "fake", "user": {}}],
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
        "current-context": "fake",
    }
    file.write_text(yaml.safe_dump(content))
    return file
