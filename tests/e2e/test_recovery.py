"""A short run of `make recover`: both databases are lost while people buy, and come back."""

from pathlib import Path

import pytest

from local.recovery.drill import Drill, run_drill, unexplained

pytestmark = pytest.mark.timeout(420)


async def test_after_a_restore_every_payment_is_an_order_a_refund_or_a_case(tmp_path: Path) -> None:
    drill = Drill(before=4, between=4, after=6, people=3, root=tmp_path)

    found = await run_drill(drill)

    assert found.gone == ()
    assert found.verdict.offenders == ()
    assert unexplained(found.verdict) == []
    # The drill would prove nothing if nothing had been kept, or nothing taken back.
    assert found.kept > 3
    assert found.undone > 0
