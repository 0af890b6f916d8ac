"""The bank's page: a person pastes a code, reads it, pays, pays again, pays late."""

from typing import Any

import aiohttp
import pytest

from tests import mercadopago_simulator
from tests.mercadopago_simulator import SHOP, Bench, code_of, words

sim = mercadopago_simulator.sim


async def look(sim: Bench, code: str = "") -> str:
    return str((await sim.call("GET", "/bank", token=None, key=None, code=code)).body)


async def press(sim: Bench, code: str, **fields: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{sim.url}/bank", data={"code": code, **fields}) as answer,
    ):
        return answer.status, await answer.text()


async def test_the_empty_page_asks_for_a_code_in_portuguese(sim: Bench) -> None:
    page = await look(sim)

    assert '<html lang="pt-BR">' in page
    assert "width=device-width" in page
    assert "Pix copia e cola" in page
    assert "Pagar" not in page


async def test_a_code_is_read_and_paid(sim: Bench) -> None:
    order = await sim.order()

    page = await look(sim, code_of(order))
    status, receipt = await press(sim, code_of(order))

    assert "R$ 58,80" in page
    assert "LANCHONETE DA ANA" in page
    assert ">Pagar</button>" in page
    assert (status, "Pix enviado" in receipt) == (200, True)
    assert words(await sim.get_order(order["id"])) == ("processed", "accredited")


async def test_a_paid_code_can_be_paid_again_on_purpose_only(sim: Bench) -> None:
    order = await sim.paid_order()

    page = await look(sim, code_of(order))
    refused = await press(sim, code_of(order))
    again = await press(sim, code_of(order), again="1")

    assert "já foi paga" in page
    assert "Pagar de novo (em dobro)" in page
    assert (refused[0], again[0]) == (409, 200)
    assert (await sim.look("truth", shop=SHOP))["totals"]["paid"] == "117.60"


async def test_an_expired_code_can_be_paid_late_on_purpose_only(sim: Bench) -> None:
    order = await sim.order()
    await sim.advance(minutes=31)

    page = await look(sim, code_of(order))
    refused = await press(sim, code_of(order))
    late = await press(sim, code_of(order), late="1")

    assert "expirou" in page
    assert "Pagar mesmo assim (atrasado)" in page
    assert (refused[0], late[0]) == (409, 200)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda code: "abc", "não é um código Pix"),
        (lambda code: code.replace("58.80", "01.00"), "CRC"),
        (lambda code: code[:-10], "não é um código Pix"),
    ],
)
async def test_a_spoilt_code_is_told_why(sim: Bench, spoil: Any, told: str) -> None:
    code = spoil(code_of(await sim.order()))

    page = await look(sim, code)
    status, answer = await press(sim, code)

    assert told in page
    assert (status, told in answer) == (422, True)
    assert "Pagar" not in page


async def test_a_sound_code_of_somebody_else_is_not_paid(sim: Bench) -> None:
    code = code_of(await sim.order())
    await sim.control("reset")

    status, answer = await press(sim, code)

    assert (status, "ninguém espera" in answer) == (404, True)
    assert "ninguém espera" in await look(sim, code)


async def test_a_code_that_was_broken_into_lines_is_read(sim: Bench) -> None:
    code = code_of(await sim.order())

    page = await look(sim, f" {code[:60]}\r\n{code[60:]}\n")

    assert "R$ 58,80" in page


async def test_what_is_pasted_cannot_become_a_page_of_its_own(sim: Bench) -> None:
    page = await look(sim, "</textarea><script>alert(1)</script>")

    assert "<script>" not in page


async def test_an_in_store_code_shows_the_amount_of_its_order(sim: Bench) -> None:
    body = {
        "type": "qr",
        "total_amount": "1234.50",
        "external_reference": "mesa-4",
        "transactions": {"payments": [{"amount": "1234.50"}]},
    }
    order = (await sim.call("POST", "/v1/orders", body)).body

    assert "R$ 1.234,50" in await look(sim, order["type_response"]["qr_data"])
