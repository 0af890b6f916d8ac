"""Take a picture of every page at three widths: `python -m tests.screenshots --out FOLDER`."""

import argparse
import asyncio
import tempfile
from pathlib import Path

import boto3
from playwright.async_api import Page

from local.demo.people import invent_person
from local.supervisor import Options, System, running_system
from tests.browsers import SHOP, Floor, chromium
from tests.console_letters import event_body
from tests.screens_people import mailed

WIDTHS = {"phone": (360, 740), "desk": (1280, 800), "wall": (1920, 1080)}
_SETTLED_MS = 700


async def main(out: Path) -> None:
    """Start a laptop, bring a shop to life, and look at it."""

    with tempfile.TemporaryDirectory() as root:
        async with running_system(Options(root=Path(root))) as system, chromium() as browser:
            floor = Floor.of(system, browser)
            await _come_to_life(floor)
            _bury_letters(system)
            for name, (width, height) in WIDTHS.items():
                size = {"viewport": {"width": width, "height": height}}
                await _customers(floor, out, name=name, size=size)
                await _account(floor, system, out, name=name, size=size)
                await _staff(floor, out, name=name, size=size)


async def _come_to_life(floor: Floor) -> None:
    for service, name in (("Comer aqui", "Ana"), ("Para levar", "João"), ("Comer aqui", "Bia")):
        kiosk = await floor.page("pedir?totem=totem-1")
        await floor.pay(await floor.order(kiosk, service=service, name=name))
        await kiosk.get_by_text("Pago!").wait_for()
        await kiosk.context.close()
    board = await floor.staff_page("kitchen", "cozinha")
    for column in ("RECEIVED", "IN_PREPARATION", "RECEIVED"):
        await board.locator(f"#column-{column} .step").first.click()
        await board.wait_for_timeout(_SETTLED_MS)
    await board.context.close()


def _bury_letters(system: System) -> None:
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "sa-east-1"}
    sqs = boto3.client("sqs", endpoint_url=system.urls["bus"], **keys)
    url = sqs.get_queue_url(QueueName="comanda-laptop-archive-dlq")["QueueUrl"]
    for number, reason in enumerate(("StoreUnavailable: timed out", "no such order") * 2):
        sqs.send_message(
            QueueUrl=url,
            MessageBody=event_body(number, shop=SHOP),
            MessageAttributes={"reason": {"DataType": "String", "StringValue": reason}},
        )


async def _customers(floor: Floor, out: Path, *, name: str, size: dict[str, object]) -> None:
    kiosk = await floor.page("pedir?totem=totem-1", **size)
    await _shoot(kiosk, out / f"kiosk-start-{name}.png")
    await kiosk.get_by_role("button", name="Comer aqui").click()
    await _shoot(kiosk, out / f"kiosk-menu-{name}.png")
    await kiosk.locator(".product:visible:enabled").nth(1).click()
    await _shoot(kiosk, out / f"kiosk-product-{name}.png")
    await kiosk.get_by_role("button", name="Adicionar").click()
    await kiosk.get_by_role("button", name="Revisar pedido").click()
    await _shoot(kiosk, out / f"kiosk-review-{name}.png")
    await kiosk.get_by_role("button", name="Pagar com Pix").click()
    await kiosk.wait_for_selector("#code")
    await _shoot(kiosk, out / f"order-pix-{name}.png")
    await floor.pay(await kiosk.input_value("#code"))
    await kiosk.get_by_text("Pago!").wait_for()
    await _shoot(kiosk, out / f"order-paid-{name}.png")
    await kiosk.context.close()


async def _account(
    floor: Floor, system: System, out: Path, *, name: str, size: dict[str, object]
) -> None:
    person = invent_person()
    phone = await floor.page("conta/entrar", **size)
    await _shoot(phone, out / f"account-sign-in-{name}.png")
    await phone.goto(floor.url("conta/criar"))
    await _shoot(phone, out / f"account-sign-up-{name}.png")
    await phone.get_by_role("textbox", name="Nome").fill(person.name)
    await phone.get_by_role("textbox", name="E-mail").fill(person.email)
    await phone.get_by_role("textbox", name="CPF").fill(person.cpf)
    await phone.get_by_role("checkbox").check()
    await phone.get_by_role("button", name="Receber código").click()
    await _shoot(phone, out / f"account-code-{name}.png")
    code = await mailed(system, person.email, r"\b[0-9]{6}\b")
    await phone.get_by_role("textbox", name="Código").fill(code)
    await phone.get_by_role("button", name="Entrar").click()
    await phone.get_by_role("link", name="Fazer um pedido").click()
    await _shoot(phone, out / f"account-start-{name}.png")
    await floor.order(phone)
    await phone.goto(floor.url("conta"))
    await _shoot(phone, out / f"account-{name}.png")
    await phone.get_by_label("Digite APAGAR").fill("APAGAR")
    await phone.get_by_role("button", name="Apagar minha conta").click()
    await _shoot(phone, out / f"account-gone-{name}.png")
    await phone.context.close()


async def _staff(floor: Floor, out: Path, *, name: str, size: dict[str, object]) -> None:
    door = await floor.page("entrar", **size)
    await _shoot(door, out / f"sign-in-{name}.png")
    await door.get_by_role("link", name="Esqueci a senha").click()
    await _shoot(door, out / f"password-{name}.png")
    await door.context.close()
    cook = await floor.staff_page("kitchen", "cozinha", **size)
    await cook.get_by_text("Ao vivo").wait_for()
    await _shoot(cook, out / f"kitchen-{name}.png")
    await cook.goto(floor.url("senhas"))
    await cook.get_by_text("Ao vivo").wait_for()
    await _shoot(cook, out / f"calls-{name}.png")
    await cook.context.close()
    owner = await floor.staff_page("owner", "equipe", **size)
    await _shoot(owner, out / f"home-{name}.png")
    for path, title in (
        ("pedidos", "orders"),
        ("caixa", "money"),
        ("fechamento", "closing"),
        ("cardapio", "menu"),
        ("horarios", "hours"),
        ("pessoas", "staff"),
        ("privacidade", "privacy"),
        ("acesso", "access"),
        ("ops", "ops-queues"),
        ("ops/dead-letters/archive", "ops-letters"),
        ("ops/replays", "ops-replays"),
        ("ops/topology", "ops-topology"),
        ("ops/acts", "ops-acts"),
    ):
        await owner.goto(floor.url(path))
        await _shoot(owner, out / f"{title}-{name}.png")
    await owner.goto(floor.url("acesso"))
    await owner.get_by_role("button", name="Ligar um aplicativo").click()
    await _shoot(owner, out / f"access-app-{name}.png")
    await owner.goto(floor.url("pedidos"))
    await owner.locator("tbody a").first.click()
    await _shoot(owner, out / f"order-office-{name}.png")
    await owner.get_by_role("link", name="história").click()
    await _shoot(owner, out / f"ops-journey-{name}.png")
    await owner.get_by_role("link", name="webhooks", exact=True).click()
    await _shoot(owner, out / f"ops-webhooks-{name}.png")
    await owner.goto(floor.url("ops/dead-letters/archive"))
    await owner.get_by_role("link", name="read").first.click()
    await _shoot(owner, out / f"ops-letter-{name}.png")
    await owner.context.close()


async def _shoot(page: Page, file: Path) -> None:
    await page.wait_for_timeout(_SETTLED_MS)
    await page.screenshot(path=file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    chosen = parser.parse_args().out
    chosen.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(chosen))
