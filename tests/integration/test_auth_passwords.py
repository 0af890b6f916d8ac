"""Passwords of staff: changed, forgotten, and what a lost app needs; each refusal, too."""

import re
import time
from typing import Any

import pytest

from tests import auth_edge
from tests.auth_edge import ANA, BETO, Edge, new_customer
from tests.integration.test_auth_staff import NEW, hire, sign_in, totp
from tests.log_watch import forbid

aws, bus, environment, edge = (
    auth_edge.aws,
    auth_edge.bus,
    auth_edge.environment,
    auth_edge.edge,
)
NEXT = "Outra-Senha-Nova-2"


def mailbox(username: str) -> str:
    return f"{username}@exemplo.com.br"


def forget(edge: Edge, username: str, *, shop: str = ANA) -> Any:
    return edge.post(f"{shop}/staff/password-codes", {"username": username})


def reset(edge: Edge, session: str, code: str, *, new: str = NEXT, shop: str = ANA) -> Any:
    body = {"session": session, "code": code, "new_password": new}
    return edge.post(f"{shop}/staff/passwords", body)


def change(edge: Edge, token: str, old: str, *, new: str = NEXT) -> Any:
    body = {"password": old, "new_password": new}
    return edge.send("PUT", f"{ANA}/staff/me/password", body, token=token)


def with_app(edge: Edge, username: str) -> tuple[str, str]:
    """Hire an owner whose app is asked for; give their token and the app's secret."""
    token = hire(edge, username, group="owner")
    secret = edge.send("POST", f"{ANA}/staff/me/totp", token=token).json_body["secret"]
    body = {"totp": totp(secret, at=time.time())}
    edge.send("PUT", f"{ANA}/staff/me/totp", body, token=token)
    assert sign_in(edge, username, NEW).status_code == 401
    return token, secret


def acts(edge: Edge, username: str) -> list[dict[str, Any]]:
    found = edge.send("GET", f"{ANA}/staff/audit", token=edge.staff_token(ANA, "owner"))
    return [act for act in found.json_body["acts"] if act["whom"] == username]


def test_who_forgot_sets_a_password_by_the_code_in_their_mailbox(edge: Edge) -> None:
    hire(edge, "ana-esqueceu")
    refresh = sign_in(edge, "ana-esqueceu", NEW).json_body["refresh_token"]

    session = forget(edge, "ana-esqueceu").json_body["session"]
    code = edge.code_for(mailbox("ana-esqueceu"), mail=2)
    answer = reset(edge, session, code)

    assert answer.status_code == 204
    old, new = [sign_in(edge, "ana-esqueceu", it).status_code for it in (NEW, NEXT)]
    assert (old, new) == (401, 200)
    renewed = edge.post(f"{ANA}/tokens/refresh", {"refresh_token": refresh})
    assert (renewed.status_code, reset(edge, session, code).status_code) == (401, 401)
    (act, *_) = acts(edge, "ana-esqueceu")
    assert (act["what"], act["done_at"] is not None) == ("staff.password.reset", True)


def test_who_never_used_their_invitation_can_still_come_in_by_their_mailbox(edge: Edge) -> None:
    body = {
        "username": "ana-tarde",
        "email": mailbox("ana-tarde"),
        "groups": ["kitchen"],
        "reason": "nova",
    }
    edge.send("POST", f"{ANA}/staff", body, token=edge.staff_token(ANA, "owner"))

    session = forget(edge, "ana-tarde").json_body["session"]
    answer = reset(edge, session, edge.code_for(mailbox("ana-tarde"), mail=2))

    assert answer.status_code == 204
    assert sign_in(edge, "ana-tarde", NEXT).status_code == 200


def test_a_stranger_and_a_cook_get_the_same_answers(edge: Edge) -> None:
    hire(edge, "ana-sigilo")
    usernames = ("ana-sigilo", "ninguem", f"{BETO}-kitchen")
    asked = [forget(edge, it) for it in usernames]
    right = edge.code_for(mailbox("ana-sigilo"), mail=2)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"

    tried = [
        [reset(edge, it.json_body["session"], wrong).json_body for _ in range(4)] for it in asked
    ]

    shapes = {(it.status_code, *sorted(it.headers), *sorted(it.json_body)) for it in asked}
    assert len(shapes) == 1
    assert len({str(it) for it in tried}) == 1
    # After three wrong ones, the right one comes too late.
    assert reset(edge, asked[0].json_body["session"], right).status_code == 401


def test_the_code_of_one_shop_sets_no_password_in_another(edge: Edge) -> None:
    hire(edge, "ana-vizinha")
    session = forget(edge, "ana-vizinha").json_body["session"]

    answer = reset(edge, session, edge.code_for(mailbox("ana-vizinha"), mail=2), shop=BETO)

    assert answer.status_code == 401


def test_who_was_disabled_gets_no_code(edge: Edge) -> None:
    hire(edge, "ana-saiu")
    body = {"is_enabled": False, "reason": "saiu"}
    owner = edge.staff_token(ANA, "owner")
    edge.send("PATCH", f"{ANA}/staff/members/ana-saiu", body, token=owner)
    hire(edge, "ana-ficou")

    for username in ("ana-saiu", "ana-ficou"):
        forget(edge, username)
    edge.code_for(mailbox("ana-ficou"), mail=2)  # Letters leave in order.

    assert len(edge.mails(mailbox("ana-saiu"))) == 1


def test_an_app_is_still_asked_for_after_a_new_password(edge: Edge) -> None:
    _, secret = with_app(edge, "ana-segura")
    session = forget(edge, "ana-segura").json_body["session"]
    reset(edge, session, edge.code_for(mailbox("ana-segura"), mail=2))

    without = sign_in(edge, "ana-segura", NEXT)
    by_app = sign_in(edge, "ana-segura", NEXT, totp=totp(secret, at=time.time()))

    assert (without.status_code, by_app.status_code) == (401, 200)


def test_the_sixth_question_in_a_window_waits_and_another_address_does_not(edge: Edge) -> None:
    statuses = [forget(edge, "ninguem-mesmo").status_code for _ in range(6)]

    assert statuses == [202] * 5 + [429]
    assert forget(edge.from_address("203.0.113.77"), "ninguem-mesmo").status_code == 202


def test_a_password_is_changed_by_who_knows_it(edge: Edge) -> None:
    token = hire(edge, "ana-troca")
    refresh = sign_in(edge, "ana-troca", NEW).json_body["refresh_token"]

    refused = [
        change(edge, token, "Errada-Errada-9").status_code,
        change(edge, token, NEW, new="curta").status_code,
    ]
    answer = change(edge, token, NEW)

    assert (refused, answer.status_code) == ([401, 422], 204)
    assert [sign_in(edge, "ana-troca", it).status_code for it in (NEW, NEXT)] == [401, 200]
    assert edge.post(f"{ANA}/tokens/refresh", {"refresh_token": refresh}).status_code == 401
    assert "senha" in edge.mails(mailbox("ana-troca"))[-1]["BodyText"]
    done = [act["done_at"] is not None for act in acts(edge, "ana-troca")]
    # The wrong password is on record as an act that came to nothing.
    assert done == [True, False, True]


def test_guesses_of_a_password_with_a_stolen_token_are_counted(edge: Edge) -> None:
    token = hire(edge, "ana-roubada")

    statuses = [change(edge, token, f"Errada-Errada-{n}").status_code for n in range(10)]

    assert (statuses[0], statuses[-1]) == (401, 429)


def test_an_owner_gives_their_app_up_by_their_password(edge: Edge) -> None:
    token, _ = with_app(edge, "ana-larga")

    answers = [
        edge.send("POST", f"{ANA}/staff/me/totp-removals", {"password": it}, token=token)
        for it in ("Errada-Errada-9", NEW)
    ]

    assert [it.status_code for it in answers] == [401, 204]
    assert sign_in(edge, "ana-larga", NEW).status_code == 200
    assert acts(edge, "ana-larga")[0]["what"] == "staff.totp.removed"
    assert "aplicativo" in edge.mails(mailbox("ana-larga"))[-1]["BodyText"]


def test_another_owner_lets_in_who_lost_their_app(edge: Edge) -> None:
    token, _ = with_app(edge, "ana-perdeu")
    path = f"{ANA}/staff/members/ana-perdeu/totp-resets"
    body = {"reason": "perdeu o telefone"}

    by_self = edge.send("POST", path, body, token=token)
    by_cook = edge.send("POST", path, body, token=edge.staff_token(ANA, "kitchen"))
    elsewhere = edge.send(
        "POST", path.replace(ANA, BETO), body, token=edge.staff_token(BETO, "owner")
    )
    unexplained = edge.send("POST", path, {}, token=edge.staff_token(ANA, "owner"))
    answer = edge.send("POST", path, body, token=edge.staff_token(ANA, "owner"))

    refusals = [it.status_code for it in (by_self, by_cook, elsewhere, unexplained)]
    assert (refusals, answer.status_code) == ([409, 403, 404, 422], 204)
    assert sign_in(edge, "ana-perdeu", NEW).status_code == 200
    assert acts(edge, "ana-perdeu")[0]["why"] == "perdeu o telefone"


@pytest.mark.parametrize("path", ["staff/me/password", "staff/me/totp-removals"])
def test_customers_have_no_password(edge: Edge, path: str) -> None:
    token = edge.join(ANA, new_customer())["access_token"]
    method = "PUT" if path.endswith("password") else "POST"

    answer = edge.send(method, f"{ANA}/{path}", {"password": NEW}, token=token)

    assert answer.status_code == 403


def test_no_code_and_no_password_is_kept_in_clear(edge: Edge) -> None:
    hire(edge, "ana-cofre")
    session = forget(edge, "ana-cofre").json_body["session"]
    text = edge.stored()
    code = edge.code_for(mailbox("ana-cofre"), mail=2)

    assert not re.search(rf"\b{forbid(code)}\b", text)
    assert session not in text
