"""Invented customers pass our own checks, and their mailbox is read whatever happens to it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from comanda.cpf import CPF
from local.demo.people import Mailbox, invent_person


def test_invented_people_have_sound_cpfs_and_addresses_of_their_own() -> None:
    people = [invent_person() for _ in range(200)]

    assert all(CPF(person.cpf) for person in people)
    assert len({person.email for person in people}) == 200


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_the_newest_code_of_the_right_person_is_found(session: aiohttp.ClientSession) -> None:
    answers = iter([500, 200])

    async def messages(_: web.Request) -> web.Response:
        mails = [
            {"To": ["a@x.br"], "BodyText": "Seu código é 111111."},
            {"To": ["a@x.br"], "BodyText": "Seu código é 222222."},
            {"To": ["b@x.br"], "BodyText": "Seu código é 333333."},
        ]
        # The first time the server stumbles, as one that starts again does.
        status = next(answers)
        text = None if status == 200 else "down"
        return (
            web.Response(status=500, text=text)
            if text
            else web.json_response({"messages": {"000000000000": mails}})
        )

    app = web.Application()
    app.router.add_get("/_ministack/ses/messages", messages)
    async with TestServer(app) as server:
        mailbox = Mailbox(session, aws_url=str(server.make_url("")).rstrip("/"))

        assert await mailbox.code_for("a@x.br") == "222222"
