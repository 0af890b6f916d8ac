"""The control API: what a person at the bank, the provider's panel, or fate would do."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from secrets import token_hex
from typing import Any

from aiohttp import web

from local.mercadopago import truth
from local.mercadopago.clock import InvalidClock, utc_text
from local.mercadopago.control_input import Body, Misused, Result, only
from local.mercadopago.faults import InvalidFault
from local.mercadopago.json_values import NotJSON, read_object
from local.mercadopago.panel import Panel
from local.mercadopago.refunds import RefundRefused
from local.mercadopago.sales import IllegalTransition
from local.mercadopago.settings import InvalidSetting
from local.mercadopago.system import System

PREFIXES = ("/_control", "/__sim")
_LONGEST_WAIT = 60.0
Act = Callable[[Body], Result]


class Control:
    """Answer under `/_control/`."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._panel = Panel(system)

    def routes(self) -> list[web.RouteDef]:
        """List all routes, under both names."""
        return [route for prefix in PREFIXES for route in self._routes(prefix)]

    def _routes(self, prefix: str) -> list[web.RouteDef]:
        posts: list[tuple[str, Act]] = [
            ("pay", self._panel.pay),
            ("payments", self._panel.pay_from_outside),
            ("reject", self._panel.reject),
            ("expire", self._panel.expire),
            ("cancel", self._panel.cancel),
            ("refund", self._panel.refund),
            ("disputes", self._panel.dispute),
            ("fraud-alert", self._panel.alert),
            ("redeliver", self._panel.redeliver),
            ("simulate", self._panel.simulate),
            ("secrets", self._rotate),
            ("clock", self._adjust),
            ("settings", self._set),
            ("faults", self._add_fault),
            ("reset", self._reset),
        ]
        return [
            *(web.post(f"{prefix}/{name}", _posted(act)) for name, act in posts),
            web.post(f"{prefix}/disputes/{{id}}/resolution", self._end_dispute),
            web.post(f"{prefix}/settle", self._settle),
            web.get(f"{prefix}/clock", _read(self._clock)),
            web.get(f"{prefix}/settings", _read(self._settings)),
            web.get(f"{prefix}/faults", _read(lambda _: {"faults": self._system.faults.rules})),
            web.get(f"{prefix}/truth", _read(self._truth)),
            web.get(f"{prefix}/totals", _read(self._totals)),
            web.get(f"{prefix}/log", _read(self._log)),
            web.delete(f"{prefix}/faults", self._remove_faults),
            web.delete(f"{prefix}/faults/{{id}}", self._remove_faults),
        ]

    def _rotate(self, body: Body) -> Result:
        only(body, "shop", "secret")
        secret = body.get("secret", token_hex(32))
        if not isinstance(secret, str) or not 8 <= len(secret) <= 256:
            raise Misused(422, "secret: 8 to 256 characters")
        application = self._panel.application(body)
        secrets = self._system.applications.rotate(application.shop, secret)
        self._system.store.save_setting(f"secrets:{application.shop}", secrets)
        return 200, {"shop": application.shop, "secret": secret}

    def _adjust(self, body: Body) -> Result:
        only(body, "advance_seconds", "speed", "retry_speed")
        for name, value in body.items():
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise Misused(422, f"{name}: a number")
        setting = self._system.clock.adjust(**{name: float(value) for name, value in body.items()})
        self._system.store.save_setting("clock", asdict(setting))
        self._system.timekeeper.adjusted()
        return 200, self._clock({})

    def _set(self, body: Body) -> Result:
        return 200, asdict(self._system.settings.change(body))

    def _add_fault(self, body: Body) -> Result:
        return 201, self._system.faults.add(body)

    def _reset(self, body: Body) -> Result:
        only(body)
        self._system.reset()
        return 200, {}

    def _clock(self, _: Body) -> dict[str, Any]:
        setting = self._system.clock.setting
        now = utc_text(self._system.clock.now())
        return {"now": now, "speed": setting.speed, "retry_speed": setting.retry_speed}

    def _settings(self, _: Body) -> dict[str, Any]:
        return asdict(self._system.settings.switches)

    def _truth(self, query: Body) -> dict[str, Any]:
        limit = query.get("limit")
        if limit is not None and not (limit.isascii() and limit.isdigit() and int(limit[:9]) > 0):
            raise Misused(422, "limit: a whole number from 1")
        found = truth.truth_of(
            self._system.store,
            self._panel.application(query).shop,
            after=query.get("after", ""),
            limit=None if limit is None else min(int(limit[:9]), truth.MOST_CHARGES),
        )
        return {"now": utc_text(self._system.clock.now()), **found}

    def _totals(self, _: Body) -> dict[str, Any]:
        return {
            a.shop: truth.demo_totals(self._system.store, a.shop) for a in self._system.applications
        }

    def _log(self, query: Body) -> dict[str, Any]:
        limit = str(query.get("limit", "100"))
        if not (limit.isascii() and limit.isdigit()):
            raise Misused(422, "limit: a whole number")
        return {"log": self._system.journal.last(int(limit[:9]))}

    async def _end_dispute(self, request: web.Request) -> web.Response:
        dispute_id = request.match_info["id"]
        return await _posted(lambda body: self._panel.end_dispute(dispute_id, body))(request)

    async def _settle(self, request: web.Request) -> web.Response:
        body = read_object(await request.read() or b"{}", number=float)
        seconds = body.get("seconds", 10)
        if not isinstance(seconds, int | float) or not 0 <= seconds <= _LONGEST_WAIT:
            return _problem(422, f"seconds: 0 to {_LONGEST_WAIT:.0f}")
        due, later = await self._system.courier.settled(seconds=float(seconds))
        return web.json_response({"due": due, "waiting": later})

    async def _remove_faults(self, request: web.Request) -> web.Response:
        rule_id = request.match_info.get("id")
        removed = self._system.faults.remove(rule_id)
        if rule_id is not None and not removed:
            return _problem(404, "there is no such fault")
        return web.json_response({"removed": removed})


def _posted(act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            status, content = act(read_object(await request.read() or b"{}", number=float))
        except NotJSON as exc:
            return _problem(400, str(exc))
        except Misused as exc:
            return _problem(exc.status, str(exc))
        except (InvalidFault, InvalidSetting, InvalidClock) as exc:
            return _problem(422, str(exc))
        except (IllegalTransition, RefundRefused) as exc:
            return _problem(409, str(exc))
        return web.json_response(content, status=status)

    return handle


def _read(look: Callable[[Body], Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            return web.json_response(look(request.query))
        except Misused as exc:
            return _problem(exc.status, str(exc))

    return handle


def _problem(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)
