"""What will happen: notifications on their way, expiry, and appointments."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from local.mercadopago.database import OPEN_STATES, Database


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A notification on its way, whole; `due` is in virtual seconds since the epoch."""

    sale: str
    shop: str
    topic: str
    due: float
    url: str
    headers: str
    body: str
    attempts: int = 0
    is_held: bool = False
    is_once: bool = False
    seq: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Appointment:
    """Something that will happen to a sale by itself."""

    due: float
    task: str
    sale: str
    argument: str = ""
    seq: int = 0


class Schedule:
    """Keep what is due, by the virtual clock in seconds since the epoch."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def next_expiry(self) -> tuple[float, str] | None:
        """Give when the next open sale expires, and which."""
        row = self._db.execute(
            f"SELECT expires, id FROM sales WHERE state IN ({OPEN_STATES}) ORDER BY expires LIMIT 1"  # noqa: S608 - Made of our own constants alone.
        ).fetchone()
        return None if row is None else (row["expires"], row["id"])

    def add_delivery(self, delivery: Delivery) -> Delivery:
        """Add a notification; give it with its number."""
        facts = asdict(delivery)
        del facts["seq"]
        return replace(delivery, seq=self._db.insert("deliveries", facts))

    def due_deliveries(self, now: float, *, limit: int) -> Sequence[Delivery]:
        """Give the notifications that are due, the longest waiting first."""
        rows = self._db.execute(
            "SELECT * FROM deliveries WHERE due <= ? ORDER BY due, seq LIMIT ?", (now, limit)
        )
        return [Delivery(**dict(row)) for row in rows]

    def count_deliveries(self, *, due_by: float) -> tuple[int, int]:
        """Count the notifications due by an instant, and those due later."""
        row = self._db.execute(
            "SELECT count(*) FILTER (WHERE due <= ?1), count(*) FILTER (WHERE due > ?1)"
            " FROM deliveries",
            (due_by,),
        ).fetchone()
        return int(row[0]), int(row[1])

    def next_delivery(self, *, after: float) -> float | None:
        """Give when the next notification is due that is not yet."""
        row = self._db.execute("SELECT min(due) FROM deliveries WHERE due > ?", (after,)).fetchone()
        return None if row[0] is None else float(row[0])

    def has_held_delivery(self, sale_id: str) -> bool:
        """Tell whether a notification of a sale waits for a later one."""
        found = self._db.execute("SELECT 1 FROM deliveries WHERE sale = ? AND is_held", (sale_id,))
        return found.fetchone() is not None

    def release_held(self, sale_id: str, *, now: float) -> int:
        """Make held notifications of a sale due; tell how many."""
        done = self._db.execute(
            "UPDATE deliveries SET due = ?, is_held = 0 WHERE sale = ? AND is_held", (now, sale_id)
        )
        return done.rowcount

    def postpone(self, delivery: Delivery, *, due: float, headers: str) -> None:
        """Save that a notification was tried and is due again."""
        self._db.execute(
            "UPDATE deliveries SET attempts = attempts + 1, due = ?, headers = ? WHERE seq = ?",
            (due, headers, delivery.seq),
        )

    def drop_delivery(self, delivery: Delivery) -> None:
        """Forget a notification: it arrived, or is given up."""
        self._db.execute("DELETE FROM deliveries WHERE seq = ?", (delivery.seq,))

    def add_appointment(self, appointment: Appointment) -> None:
        """Add something that will happen."""
        self._db.execute(
            "INSERT INTO agenda (due, task, sale, argument) VALUES (?, ?, ?, ?)",
            (appointment.due, appointment.task, appointment.sale, appointment.argument),
        )

    def next_appointment(self) -> Appointment | None:
        """Give what happens next."""
        row = self._db.execute("SELECT * FROM agenda ORDER BY due, seq LIMIT 1").fetchone()
        return None if row is None else Appointment(**dict(row))

    def drop_appointment(self, appointment: Appointment) -> None:
        """Forget what happened."""
        self._db.execute("DELETE FROM agenda WHERE seq = ?", (appointment.seq,))
