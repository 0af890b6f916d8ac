"""The use cases that erase and move customers, on a table and among services that break."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from auth_lambda.chalicelib.audit import Audit
from auth_lambda.chalicelib.aws import Unavailable
from auth_lambda.chalicelib.codes import Codes, Holder
from auth_lambda.chalicelib.email_changes import EmailChanges
from auth_lambda.chalicelib.erasure import Erasure
from auth_lambda.chalicelib.finishing import Finisher
from auth_lambda.chalicelib.proofs import Proofs
from auth_lambda.chalicelib.pseudonyms import Email, Pseudonyms
from auth_lambda.chalicelib.purposes import Purpose
from auth_lambda.chalicelib.registry import CustomerRegistry, Registration
from auth_lambda.chalicelib.sessions import Sessions, reference_of
from auth_lambda.chalicelib.table import Table
from auth_lambda.chalicelib.throttle import Throttle
from auth_lambda.chalicelib.unfinished import Errand, Unfinished
from auth_lambda.chalicelib.wishes import EmailWish, Wishes
from comanda.ids import CustomerId, EventId, ShopId
from tests.identity_builders import Clock

ANA = ShopId("lanchonete-da-ana")
MARIA = CustomerId("c1")
OLD, NEW = "maria@exemplo.com.br", "maria@novo.example"
NAMES = Pseudonyms(b"k" * 32)


class World:
    """Everything around the customer; each call is a step, and the one of number `breaks` fails."""

    def __init__(self) -> None:
        self.emails = {MARIA: OLD}
        self.erased: list[str] = []
        self.told: list[tuple[str, str]] = []
        self.mailed: list[str] = []
        self.steps = 0
        self.breaks = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.breaks:
            raise Unavailable(f"step {self.steps}")

    def delete(self, customer_id: CustomerId) -> None:
        self.step()
        self.emails.pop(customer_id, None)

    def email_of(self, customer_id: CustomerId) -> str | None:
        return self.emails.get(customer_id)

    def change(self, customer_id: CustomerId, changes: dict[str, str]) -> None:
        self.step()
        self.emails[customer_id] = changes["email"]

    def registered(self, registration: Registration, *, email: str) -> None:
        self.step()
        self.told.append((registration.event_id, email))

    def erased_event(self, event_id: str) -> None:
        self.step()
        self.erased.append(event_id)

    def end_all(self, owner: object) -> None:
        self.step()

    def send_email_changed(self, email: str) -> None:
        self.step()
        self.mailed.append(email)

    def take(self, letter: object) -> None:
        self.step()


class Herald:
    def __init__(self, world: World) -> None:
        self._world = world

    def erased(self, shop_id: ShopId, customer_id: CustomerId, *, event_id: str, at: Any) -> None:
        self._world.erased_event(event_id)


class BreakingTable(Table):
    """A table whose writes are steps, too."""

    def __init__(self, client: Any, world: World) -> None:
        super().__init__(client, "customers")
        self._world = world

    def _write(self, *arguments: Any, **more: Any) -> Any:
        self._world.step()
        return super()._write(*arguments, **more)

    def write_all(self, writes: Any) -> None:
        self._world.step()
        super().write_all(writes)


class Office:
    """The use cases on a table that breaks."""

    def __init__(self, client: Any) -> None:
        self.world, self.clock = World(), Clock()
        self.table = BreakingTable(client, self.world)
        self.sound = Table(client, "customers")
        self.registry = CustomerRegistry(self.table)
        self.unfinished = Unfinished(self.table, clock=self.clock)
        self.erasure = Erasure(
            table=self.table,
            registry=self.registry,
            pool=self.world,
            herald=Herald(self.world),
            audit=Audit(self.table, clock=self.clock),
            unfinished=self.unfinished,
            clock=self.clock,
        )
        self.wishes = Wishes(b"w" * 32)
        self.sessions = sessions = Sessions(self.sound, clock=self.clock, purpose=Purpose.EMAIL)
        self.codes = codes = Codes(self.sound, pseudonyms=NAMES, clock=self.clock)
        self.changes = EmailChanges(
            wishes=self.wishes,
            sessions=sessions,
            proofs=Proofs(sessions=sessions, codes=codes),
            courier=self.world,
            throttle=Throttle(self.sound, clock=self.clock),
            pseudonyms=NAMES,
            registry=self.registry,
            pool=self.world,
            visits=self.world,
            unfinished=self.unfinished,
            herald=self.world,
            teller=self.world,
            clock=self.clock,
        )
        self.finisher = Finisher(
            unfinished=self.unfinished,
            errands={
                Errand.ERASURE: lambda it: self.erasure.erase(it.shop_id, it.customer_id),
                Errand.ECHO: lambda it: self.erasure.echo(it.shop_id, it.customer_id),
                Errand.EMAIL: self.changes.finish,
            },
        )
        CustomerRegistry(self.sound).claim(
            Registration(
                customer_id=MARIA,
                shop_id=ANA,
                event_id=EventId("e1"),
                registered_at=self.clock.now,
                consent_version="1",
                consented_at=self.clock.now,
                email_name=NAMES.of(Email(OLD)),
                cpf_name=None,
            )
        )

    def erase(self) -> None:
        self.erasure.erase(ANA, MARIA)

    def move(self, *, to: str = NEW) -> None:
        """Change the e-mail, the proof being given."""
        token = "token"
        reference = reference_of(token)
        wish = EmailWish(customer_id=MARIA, email=Email(to))
        sealed = self.wishes.seal_email(wish, session=reference)
        self.sessions.open(ANA, token, application=sealed)
        holder = Holder(owner=f"CUSTOMER#{MARIA}", place=to)
        self.sessions.bind(reference, holder)
        code = self.codes.issue(holder, session=reference) or ""
        self.changes.confirm(ANA, MARIA, session=token, code=code, address="10.0.0.1")

    def breaking_at(self, number: int, act: Callable[[], object]) -> bool:
        """Do it with the so-manieth step failing; tell whether it was reached."""
        self.world.steps, self.world.breaks = 0, number
        with suppress(Unavailable):
            act()
        reached = self.world.steps >= number
        self.world.breaks = 0
        return reached

    def later(self) -> None:
        for _ in range(2):
            self.clock.advance(minutes=21)
            self.finisher.finish_all()

    def stored(self) -> str:
        return str(self.sound._client.scan(TableName="customers")["Items"])


def office(client: Any) -> Office:
    """Begin with an empty table; a new one each time would take most of the time."""
    for item in client.scan(TableName="customers")["Items"]:
        client.delete_item(TableName="customers", Key={name: item[name] for name in ("pk", "sk")})
    return Office(client)
