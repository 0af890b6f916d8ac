"""A soak tells growth from noise, draws what it saw, and looks at processes as they are."""

import asyncio
import os
import random
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from local.demo.client import SoldOut
from local.soak.drawing import draw
from local.soak.judging import Series, judge, percentile
from local.soak.load import Counter, Served
from local.soak.vitals import look

DICE = random.Random(7)


def series(kind: str, *values: float, name: str = "orders") -> Series:
    return Series(name=name, kind=kind, points=tuple((n * 10.0, v) for n, v in enumerate(values)))


@pytest.mark.parametrize(
    ("kind", "a_look"), [("memory_mb", 0.2), ("handles", 0.5), ("tasks", 1.0), ("seconds", 0.01)]
)
def test_what_grows_by_a_little_each_look_is_too_much_in_the_end(kind: str, a_look: float) -> None:
    leaking = series(kind, *(1 + a_look * n for n in range(360)))

    assert judge(leaking).is_too_much


@pytest.mark.parametrize("kind", ["memory_mb", "handles", "tasks", "seconds"])
def test_noise_around_a_level_and_a_start_that_finds_its_size_are_flat(kind: str) -> None:
    starting = [10.0 * n for n in range(10)]
    noisy = series(kind, *starting, *(100 + DICE.uniform(-5, 5) for _ in range(350)))

    assert not judge(noisy).is_too_much


def test_what_shrinks_is_no_growth() -> None:
    assert not judge(series("seconds", *(100.0 - n for n in range(60)))).is_too_much


def test_too_few_looks_prove_nothing() -> None:
    with pytest.raises(ValueError, match="4 looks prove nothing"):
        judge(series("tasks", 1, 2, 3, 4))


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([3.0, 1.0, 2.0], 0.95) == 3.0
    assert percentile([], 0.5) == 0.0


def test_the_picture_is_svg_with_a_panel_for_each_kind_and_a_line_for_each_series() -> None:
    seen = [series("tasks", 1, 2, 3), series("seconds", 1, 2, name="a < b"), series("tasks", 4)]

    picture = ET.fromstring(draw(seen))  # noqa: S314  # We drew it ourselves.

    tags = [element.tag.rpartition("}")[2] for element in picture]
    assert (tags.count("path"), tags.count("polyline")) == (2, 3)
    assert "a < b" in [element.text for element in picture]


def test_a_look_counts_what_a_process_and_its_children_hold(tmp_path: Path) -> None:
    program = "import subprocess, sys; subprocess.run(['cat'])"
    (tmp_path / "part").write_text("7")
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            seen = look({"part": process.pid, "gone": -1}, tasks=tmp_path)
        finally:
            process.kill()

    assert set(seen) == {"part"}
    assert seen["part"].memory_mb > 1
    assert seen["part"].handles >= 3
    assert seen["part"].tasks == 7


def test_a_watched_module_is_what_it_was_and_tells_its_tasks(tmp_path: Path) -> None:
    module = tmp_path / "soak_watched_program.py"
    module.write_text(
        "import asyncio, sys, pathlib\n"
        "async def main():\n"
        "    others = [asyncio.create_task(asyncio.sleep(60)) for _ in range(3)]\n"
        "    told = pathlib.Path(sys.argv[1])\n"
        "    while not told.exists():\n"
        "        await asyncio.sleep(0.05)\n"
        "    print(sys.argv[1:], told.read_text())\n"
        "asyncio.run(main())\n"
    )
    root, told = Path(__file__).resolve().parents[2], tmp_path / "told"

    done = subprocess.run(
        [sys.executable, "-m", "local.soak.watched", str(told), module.stem, str(told)],
        env={**os.environ, "PYTHONPATH": f"{root}:{tmp_path}"},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert done.stdout == f"[{str(told)!r}] 4\n"


class Shop:
    """A shop that serves at once, but for a product that is gone."""

    def __init__(self) -> None:
        self.orders: list[str] = []

    async def guest_token(self, shop: str) -> str:
        return "t"

    async def menu(self, shop: str) -> list[dict[str, Any]]:
        return [{"id": "x"}, {"id": "gone"}]

    async def order(self, shop: str, lines: Any, *, token: str, key: str) -> dict[str, Any]:
        self.orders.append(lines[0]["product_id"])
        if lines[0]["product_id"] == "gone":
            raise SoldOut
        return {"pix": {"code": "c"}}

    async def pay(self, code: str) -> None: ...

    async def order_until(self, order: Any, *, token: str, has: str) -> Any:
        return order

    async def advance(self, order: Any, step: str) -> Any:
        return order


async def test_who_was_slow_leaves_word_where_it_is_read_last() -> None:
    shop: Any = Shop()
    heaps = [Served(), Served()]
    counter = Counter(shopper=shop, shops=("ana",), tell=lambda: heaps[bool(shop.orders)])

    await counter.crowd(rate=1, until=asyncio.get_running_loop().time() + 0.01)

    assert [len(heap.code_seconds) for heap in heaps] == [0, 1]


async def test_customers_come_at_their_rate_and_leave_what_is_sold_out() -> None:
    shop: Any = Shop()
    served = Served()
    counter = Counter(shopper=shop, shops=("ana",), tell=lambda: served)
    until = asyncio.get_running_loop().time() + 0.3

    await counter.crowd(rate=50, until=until)

    assert 10 <= len(shop.orders) <= 17
    assert shop.orders.count("gone") == 1
    assert len(served.kitchen_seconds) == len(shop.orders) - 1
    assert served.faults == []
