"""The simulator's parts, put together: one place that knows them all."""

from collections.abc import Sequence
from pathlib import Path

from local.mercadopago.announcing import Announcer
from local.mercadopago.applications import Application, Applications
from local.mercadopago.clock import ClockSetting, VirtualClock
from local.mercadopago.courier import Courier
from local.mercadopago.database import Database
from local.mercadopago.disputes import Disputes
from local.mercadopago.door import Door
from local.mercadopago.faults import Faults
from local.mercadopago.journal import Journal
from local.mercadopago.provider import Provider
from local.mercadopago.refunds import Refunds
from local.mercadopago.schedule import Schedule
from local.mercadopago.settings import Settings
from local.mercadopago.store import Store
from local.mercadopago.timekeeper import Timekeeper


class System:
    """All parts of one simulator, whose state lies in `folder`."""

    def __init__(self, folder: Path, applications: Sequence[Application], *, seed: str) -> None:
        self.database = Database(folder)
        self.store, self.schedule = Store(self.database), Schedule(self.database)
        saved = self.store.setting("clock")
        self.clock = VirtualClock(None if saved is None else ClockSetting(**saved))
        self._given = applications
        self.applications = Applications(applications)
        strangers = self.store.shops() - {application.shop for application in applications}
        if strangers:
            # Their sales would expire with nobody to tell.
            raise ValueError(f"{folder} holds sales of unknown shops: {sorted(strangers)}")
        for application in applications:
            secrets = self.store.setting(f"secrets:{application.shop}")
            if secrets is not None:
                self.applications.restore(application.shop, secrets)
        self.settings = Settings(self.store)
        self.faults = Faults(self.store, seed=seed)
        self.journal = Journal()
        self.courier = Courier(
            self.schedule,
            applications=self.applications,
            clock=self.clock,
            settings=self.settings,
            journal=self.journal,
        )
        self.announcer = Announcer(
            database=self.database,
            schedule=self.schedule,
            applications=self.applications,
            faults=self.faults,
            clock=self.clock,
            carry=self.courier.carry,
        )
        self.provider = Provider(
            database=self.database,
            store=self.store,
            schedule=self.schedule,
            clock=self.clock,
            faults=self.faults,
            announcer=self.announcer,
        )
        self.refunds = Refunds(self.provider, faults=self.faults)
        self.disputes = Disputes(self.provider)
        self.timekeeper = Timekeeper(
            schedule=self.schedule,
            clock=self.clock,
            provider=self.provider,
            refunds=self.refunds,
            disputes=self.disputes,
            courier=self.courier,
        )
        self.door = Door(
            applications=self.applications,
            database=self.database,
            store=self.store,
            faults=self.faults,
            settings=self.settings,
            courier=self.courier,
            journal=self.journal,
        )

    async def start(self) -> None:
        """Begin to keep the time and to deliver."""
        await self.courier.start()
        await self.timekeeper.start()

    async def stop(self) -> None:
        """Stop; all that is undone stays in the store."""
        await self.timekeeper.stop()
        await self.courier.stop()
        self.database.close()

    def reset(self) -> None:
        """Forget everything but the shops and their secrets of the beginning."""
        self.database.reset()
        self.faults.remove()
        self.settings.reset()
        self.journal.clear()
        self.clock.reset()
        for application in self._given:
            self.applications.restore(application.shop, application.webhook_secrets)
        self.timekeeper.adjusted()
