"""Staff: invited, let in, moved between groups, shut out; and every such act on record."""

import base64
import hmac
import re
import struct
import time
from typing import Any

import pytest

from comanda.ids import ShopId
from tests import auth_edge
from tests.auth_edge import ANA, BETO, Edge
from tests.log_watch import forbid

aws, bus, environment, edge = (
    auth_edge.aws,
    auth_edge.bus,
    auth_edge.environment,
    auth_edge.edge,
)
NEW = "Uma-Senha-Nova-1"


def invite(edge: Edge, username: str, *, group: str = "kitchen", shop: str = ANA) -> Any:
    body = {
        "username": username,
        "email": f"{username}@exemplo.com.br",
        "groups": [group],
        "reason": "contratada em novembro",
    }
    return edge.send("POST", f"{shop}/staff", body, token=edge.staff_token(shop, "owner"))


def first_password(edge: Edge, username: str) -> str:
    (mail,) = edge.mails(f"{username}@exemplo.com.br")
    return forbid(re.search(r"^aA1!\S+$", mail["BodyText"], re.MULTILINE).group())


def sign_in(edge: Edge, username: str, password: str, **more: str) -> Any:
    body = {"username": username, "password": password, **more}
    return edge.post(f"{ANA}/staff/tokens", body)


def hire(edge: Edge, username: str, *, group: str = "kitchen") -> str:
    """Invite somebody, set their password, and give their access token."""
    invite(edge, username, group=group)
    answer = sign_in(edge, username, first_password(edge, username), new_password=NEW)
    return str(answer.json_body["access_token"])


def totp(secret: str, *, at: float) -> str:
    """RFC 6238, as an app on a phone computes it."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(at) // 30), "sha1").digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def test_who_is_invited_sets_a_password_of_their_own_first(edge: Edge) -> None:
    answer = invite(edge, "ana-nova")
    mailed = first_password(edge, "ana-nova")

    without = sign_in(edge, "ana-nova", mailed)
    weak = sign_in(edge, "ana-nova", mailed, new_password="curta")
    chosen = sign_in(edge, "ana-nova", mailed, new_password=NEW)
    later = sign_in(edge, "ana-nova", NEW)

    assert (answer.status_code, answer.json_body["groups"]) == (201, ["kitchen"])
    assert [it.status_code for it in (without, weak, chosen, later)] == [401, 422, 200, 200]
    identity = edge.verifier.verify(later.json_body["access_token"])
    assert (identity.shop_id, identity.groups) == (ANA, {"kitchen"})
    assert sign_in(edge, "ana-nova", mailed).status_code == 401


def test_who_is_disabled_neither_signs_in_nor_refreshes(edge: Edge) -> None:
    invite(edge, "ana-fora")
    tokens = sign_in(edge, "ana-fora", first_password(edge, "ana-fora"), new_password=NEW)
    owner = edge.staff_token(ANA, "owner")

    body = {"is_enabled": False, "reason": "saiu da loja"}
    changed = edge.send("PATCH", f"{ANA}/staff/members/ana-fora", body, token=owner)

    refreshed = edge.post(
        f"{ANA}/tokens/refresh", {"refresh_token": tokens.json_body["refresh_token"]}
    )
    assert (changed.status_code, changed.json_body["is_enabled"]) == (200, False)
    assert (sign_in(edge, "ana-fora", NEW).status_code, refreshed.status_code) == (401, 401)


@pytest.mark.parametrize("groups", [None, [], ["waiter"], "kitchen"])
def test_an_invitation_without_a_group_of_ours_is_422(edge: Edge, groups: object) -> None:
    body = {
        "username": "sem-grupo",
        "email": "sem-grupo@exemplo.com.br",
        "groups": groups,
        "reason": "contratada em novembro",
    }

    answer = edge.send("POST", f"{ANA}/staff", body, token=edge.staff_token(ANA, "owner"))

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json_body["errors"]] == ["groups"]


def test_new_groups_hold_from_the_next_sign_in(edge: Edge) -> None:
    hire(edge, "ana-sobe")
    owner = edge.staff_token(ANA, "owner")

    body = {"groups": ["manager", "kitchen"], "reason": "promovida"}
    edge.send("PATCH", f"{ANA}/staff/members/ana-sobe", body, token=owner)

    token = sign_in(edge, "ana-sobe", NEW).json_body["access_token"]
    assert edge.verifier.verify(token).groups == {"manager", "kitchen"}


def test_an_owner_reads_who_did_what_to_whom_and_why(edge: Edge) -> None:
    hire(edge, "ana-vista")
    owner = edge.staff_token(ANA, "owner")
    body = {"groups": ["manager"], "is_enabled": False, "reason": "férias"}
    edge.send("PATCH", f"{ANA}/staff/members/ana-vista", body, token=owner)

    acts = edge.send("GET", f"{ANA}/staff/audit", token=owner).json_body["acts"]

    changed, invited = [act for act in acts if act["whom"] == "ana-vista"]
    assert (invited["what"], invited["who"]) == ("staff.invited", f"{ANA}-owner")
    assert changed["why"] == "férias"
    assert changed["before"] == {"groups": ["kitchen"], "is_enabled": True}
    assert changed["after"] == {"groups": ["manager"], "is_enabled": False}
    assert changed["done_at"] is not None
    beto = edge.send("GET", f"{BETO}/staff/audit", token=edge.staff_token(BETO, "owner"))
    assert "ana-vista" not in str(beto.json_body)


def test_an_owner_sees_the_staff_of_their_own_shop(edge: Edge) -> None:
    hire(edge, "ana-lista")

    answer = edge.send("GET", f"{ANA}/staff", token=edge.staff_token(ANA, "owner"))

    names = {member["username"] for member in answer.json_body["staff"]}
    assert {"ana-lista", f"{ANA}-owner"} <= names
    assert not any(name.startswith(BETO) for name in names)


def test_another_shops_staff_do_not_exist_here(edge: Edge) -> None:
    body = {"is_enabled": False, "reason": "x"}
    owner = edge.staff_token(ANA, "owner")

    answer = edge.send("PATCH", f"{ANA}/staff/members/{BETO}-kitchen", body, token=owner)

    assert answer.status_code == 404


def test_an_owner_cannot_shut_themselves_out(edge: Edge) -> None:
    body = {"is_enabled": False, "reason": "x"}
    owner = edge.staff_token(ANA, "owner")

    answer = edge.send("PATCH", f"{ANA}/staff/members/{ANA}-owner", body, token=owner)

    assert answer.status_code == 409
    assert edge.staff_token(ANA, "owner")


def test_a_username_is_given_once(edge: Edge) -> None:
    assert [invite(edge, "ana-dupla").status_code for _ in range(2)] == [201, 409]


def test_an_owners_app_is_asked_for_once_it_has_shown_a_right_code(edge: Edge) -> None:
    token = hire(edge, "ana-dona", group="owner")

    secret = edge.send("POST", f"{ANA}/staff/me/totp", token=token).json_body["secret"]
    right = totp(secret, at=time.time())
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    answers = [
        edge.send("PUT", f"{ANA}/staff/me/totp", {"totp": code}, token=token).status_code
        for code in (wrong, right)
    ]

    assert answers == [401, 204]
    assert sign_in(edge, "ana-dona", NEW).status_code == 401
    assert sign_in(edge, "ana-dona", NEW, totp=wrong).status_code == 401
    now = totp(secret, at=time.time())
    assert sign_in(edge, "ana-dona", NEW, totp=now).status_code == 200


@pytest.mark.parametrize("group", ["kitchen", "manager"])
def test_only_owners_manage_staff(edge: Edge, group: str) -> None:
    token = edge.staff_token(ANA, group)

    for method, path in (("GET", "staff"), ("GET", "staff/audit"), ("POST", "staff/me/totp")):
        assert edge.send(method, f"{ANA}/{path}", token=token).status_code == 403


@pytest.mark.parametrize("shop", [ANA])
def test_wrong_passwords_from_one_address_do_not_count_for_another(
    edge: Edge, shop: ShopId
) -> None:
    hire(edge, "ana-alvo")
    statuses = [sign_in(edge, "ana-alvo", "wrong").status_code for _ in range(21)]

    elsewhere = edge.from_address("203.0.113.9").post(
        f"{shop}/staff/tokens", {"username": "ana-alvo", "password": NEW}
    )

    assert 429 in statuses
    assert elsewhere.status_code == 200
