"""Every API and worker restarts in turn under load; clients that never try again see no error."""

from datetime import timedelta
from pathlib import Path

import pytest

from local.chaos.settling import settle
from local.recovery.rolling import ROLLED, roll
from local.supervisor import Options, running_system

pytestmark = pytest.mark.timeout(300)


async def test_no_client_sees_an_error_while_everything_restarts(tmp_path: Path) -> None:
    async with running_system(Options(root=tmp_path)) as system:
        seen = await roll(system)
        verdict = await settle(system, patience=timedelta(seconds=90))

    assert seen.errors == {}
    assert seen.restarted == list(ROLLED)
    assert set(seen.orders) <= set(verdict.statuses)
    assert len(seen.orders) > 20
    assert (verdict.offenders, verdict.dead) == ((), ())
