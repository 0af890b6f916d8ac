"""Do the tests notice? `make mutation`, or `python -m tests.mutation [--sample N] [--jobs N]`.

The tests of the rules are collected once. Each mutant lives in a fork of that process, which runs
those that should notice it until one fails: the unit tests first, then for payments the suites on
the store in memory. Survivors are printed; one that changes nothing anybody could see stands in
`EXPLAINED` with its reason. Leaves with 1 when another survives, or an explained one does not.
"""

import argparse
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Sequence
from types import ModuleType

import pytest

from comanda import money
from comanda.mercadopago import signature
from tests.mutants import Mutant, mutants_of
from workers.catalog import handlers as holding
from workers.catalog import model as stock
from workers.orders import model as orders
from workers.orders import steps
from workers.payments import (
    attempts,
    booking,
    creation,
    decisions,
    endings,
    errands,
    facts,
    ledger,
    moves,
    notifications,
    reconciliation,
    strays,
    sweeping,
    truth,
)
from workers.payments import model as charges
from workers.runtime import outbox

_PAYMENTS = (
    "tests/unit/test_payments_rules.py",
    "tests/unit/test_payments_second.py",
    "tests/unit/test_payments_facts.py",
    "tests/unit/test_payments_mismatches.py",
    "tests/unit/test_payments_edges.py",
    "tests/unit/test_payments_strangers.py",
    "tests/unit/test_payments_schedule.py",
    "tests/unit/test_payments_endings.py",
    "tests/unit/test_payments_known.py",
    "tests/unit/test_payments_errands.py",
    "tests/unit/test_payments_sweeping.py",
    "tests/unit/test_payments_handing_over.py",
    "tests/contract/test_payments_worker_cases.py",
    "tests/contract/test_payments_disputes.py",
    "tests/contract/test_payments_sweeps.py",
    "tests/contract/test_payments_refunds.py",
    "tests/contract/test_payments_operators.py",
    "tests/contract/test_payments_truth.py",
    "tests/contract/test_payments_store.py",
)
_ORDERS = (
    "tests/unit/test_orders_model.py",
    "tests/unit/test_orders_rules.py",
    "tests/unit/test_orders_handlers.py",
    "tests/contract/test_orders_store.py",
)
_OUTBOX = ("tests/unit/test_runtime_parts.py", "tests/unit/test_runtime_outbox.py")
_STOCK = (
    "tests/unit/test_catalog_model.py",
    "tests/unit/test_catalog_rules.py",
    "tests/unit/test_catalog_choices.py",
    "tests/contract/catalog/test_holding.py",
    "tests/contract/catalog/test_answers.py",
    "tests/contract/catalog/test_store.py",
)
# Which tests should notice a fault, the quickest first.
NOTICED_BY: dict[ModuleType, tuple[str, ...]] = {
    facts: _PAYMENTS,
    moves: _PAYMENTS,
    decisions: _PAYMENTS,
    truth: _PAYMENTS,
    booking: _PAYMENTS,
    strays: _PAYMENTS,
    charges: _PAYMENTS,
    ledger: _PAYMENTS,
    attempts: _PAYMENTS,
    reconciliation: _PAYMENTS,
    sweeping: _PAYMENTS,
    endings: _PAYMENTS,
    errands: _PAYMENTS,
    creation: _PAYMENTS,
    notifications: _PAYMENTS,
    money: ("tests/unit/test_comanda_money.py", *_PAYMENTS),
    signature: ("tests/unit/test_signature.py",),
    steps: _ORDERS,
    orders: _ORDERS,
    stock: _STOCK,
    holding: _STOCK,
    outbox: _OUTBOX,
}
_IN_MEMORY = "not postgres and not dynamodb"
_QUIET = ("-x", "-p", "no:terminal", "-p", "no:randomly", "-n", "0", "-k", _IN_MEMORY)
# A mutant that does not come to its end has been noticed.
_SECONDS = 60.0
_SURVIVED, _NOTICED, _NOT_TRIED = 0, 1, 2
# Makes what is only logged.
_FOR_LOGS = "_facts"
_RANGE = "`Money` itself refuses what is beyond 10**10 reais, by the same name"
_NOBODY = "nobody has no address: asking for it is only work"
EXPLAINED: dict[str, str] = {
    "payments.attempts.next_try: 12 => 13": "2 s * 2**11 is more than the longest pause already",
    "comanda.money._EXACT: 28 => 29": "29 digits below 10**12 are finer than a cent all the same",
    "comanda.money.Money.from_decimal: amount.adjusted() > 11 => amount.adjusted() >= 11": _RANGE,
    "comanda.money.Money.from_decimal: 11 => 12": _RANGE,
    "runtime.outbox._FORGET_EVERY: 250 => 251": "a millisecond more of housekeeping",
    "runtime.outbox.count_swept: if context_count => if True": "adding nothing changes nothing",
    "catalog.model._objection: {i: offer.product.name for i, offer in offers.items()} if"
    " product.slots else {} => {i: offer.product.name for i, offer in offers.items()} if True else"
    " {}": "names are read for slots alone; without any, making them is only work",
    "payments.sweeping._apply: before is not None and outcome is not None and"
    " (outcome.charge.status != before.status) => outcome is not None and outcome.charge.status !="
    " before.status": "there is no outcome without the charge that was there before it",
    "payments.creation._draft: if event.customer_id is not None => if True": _NOBODY,
    "payments.notifications._apply: if charge is not None => if False": "the long way, which looks"
    " for the charge again, comes to the same; the short one saves its reads",
}


def all_mutants() -> list[Mutant]:
    """List the mutants of all modules."""
    every = (mutant for module in NOTICED_BY for mutant in mutants_of(module))
    return [mutant for mutant in every if mutant.part != _FOR_LOGS]


class Trial:
    """A pytest plugin that runs the collected tests once for each mutant, in forks."""

    def __init__(self, mutants: Sequence[Mutant], *, jobs: int) -> None:
        self.survivors: list[Mutant] = []
        self.is_sound = False
        self._mutants = mutants
        self._jobs = jobs

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try no fault at all, which must survive, and then every mutant."""
        self.is_sound = bool(session.items) and self._lived([None], session=session) == [None]
        if self.is_sound:
            lived = self._lived(self._mutants, session=session)
            self.survivors = [mutant for mutant in lived if mutant is not None]
        return True

    def _lived(
        self, mutants: Sequence[Mutant | None], *, session: pytest.Session
    ) -> list[Mutant | None]:
        waiting, living = deque(mutants), dict[int, tuple[Mutant | None, float]]()
        found: list[Mutant | None] = []
        while waiting or living:
            while waiting and len(living) < self._jobs:
                mutant = waiting.popleft()
                living[_fork(mutant, session=session)] = (mutant, time.monotonic() + _SECONDS)
            ended, status = os.waitpid(-1, os.WNOHANG)
            if ended in living:
                mutant, _ = living.pop(ended)
                outcome = os.waitstatus_to_exitcode(status)
                if outcome == _NOT_TRIED:
                    raise RuntimeError(f"changes nothing at all: {mutant and mutant.name}")
                if outcome == _SURVIVED:
                    found.append(mutant)
                continue
            for child, (_, deadline) in living.items():
                if time.monotonic() > deadline:
                    os.kill(child, signal.SIGKILL)  # It does not end, and so it was noticed.
            time.sleep(0.002)
        return found


def _fork(mutant: Mutant | None, *, session: pytest.Session) -> int:
    child = os.fork()
    if child:
        return child
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        if mutant is not None and not mutant.apply():
            os._exit(_NOT_TRIED)
        items = _noticing(mutant, session=session)
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                os._exit(_NOTICED)
    except BaseException:  # noqa: BLE001  # Whatever it is, the fault was noticed.
        os._exit(_NOTICED)
    os._exit(_SURVIVED)


def _noticing(mutant: Mutant | None, *, session: pytest.Session) -> list[pytest.Item]:
    if mutant is None:
        return list(session.items)
    files = NOTICED_BY[mutant.module]
    return [item for file in files for item in session.items if item.nodeid.startswith(file)]


def main() -> int:
    """Try all mutants, or every so-manieth; return 1 when the survivors are not the explained."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--sample", type=int, help="so many, evenly spread")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="+", default=[""], help="names that contain one of these")
    chosen = parser.parse_args()
    every = all_mutants()
    mutants = [mutant for mutant in every if any(part in mutant.name for part in chosen.only)]
    if chosen.sample:
        mutants = mutants[:: max(1, len(mutants) // chosen.sample)]
    files = dict.fromkeys(file for mutant in mutants for file in NOTICED_BY[mutant.module])
    trial = Trial(mutants, jobs=chosen.jobs)
    pytest.main([*files, *_QUIET], plugins=[trial])
    if not trial.is_sound:
        print("the tests fail without a fault: nothing can be learned from them")
        return 2
    return _told(trial.survivors, tried=mutants, known={mutant.name for mutant in every})


def _told(survivors: Sequence[Mutant], *, tried: Sequence[Mutant], known: set[str]) -> int:
    lived = {mutant.name for mutant in survivors}
    found = [mutant.name for mutant in survivors if mutant.name not in EXPLAINED]
    noticed = {mutant.name for mutant in tried if mutant.name not in lived}
    wrong = [name for name in EXPLAINED if name in noticed or name not in known]
    print(f"{len(tried)} mutants: {len(lived) - len(found)} explained, {len(found)} survive")
    for name in found:
        print(f"  survives: {name}")
    for name in wrong:
        print(f"  is explained, but does not survive: {name}")
    return 1 if found or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
