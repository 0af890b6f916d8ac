"""Sign-up and sign-in through the Chalice app, against Cognito, SES and DynamoDB in ministack."""

import pytest
import urllib3

from comanda.identity.verifier import Identity, Kind
from comanda.ids import ShopId
from local.provision.identity import provision_identity
from tests import auth_edge
from tests.auth_edge import ANA, BETO, STAGE, Edge, new_customer

aws, bus, environment, edge = (
    auth_edge.aws,
    auth_edge.bus,
    auth_edge.environment,
    auth_edge.edge,
)

REFUSAL = {
    "type": "/problems/sign-in-refused",
    "title": "Sign-in refused",
    "status": 401,
    "detail": "start again, or check what was typed",
}


def test_a_new_customer_signs_up_and_in_with_the_code_that_was_mailed(edge: Edge) -> None:
    maria = new_customer()

    signed_up = edge.post(f"{ANA}/customers", maria.sign_up)
    answer = {"session": signed_up.json_body["session"], "code": edge.code_for(maria.email)}
    tokens = edge.post(f"{ANA}/tokens", answer)

    assert signed_up.status_code == 202
    assert tokens.status_code == 200
    assert tokens.json_body["expires_in"] == 900
    (registered,) = edge.announced(about=maria)
    assert registered["data"] == {
        "shop_id": ANA,
        "customer_id": registered["subject"],
        "email": maria.email,
    }
    assert edge.verifier.verify(tokens.json_body["access_token"]) == Identity(
        subject=registered["subject"], shop_id=ANA, kind=Kind.CUSTOMER, groups=frozenset()
    )


def test_nobody_is_registered_before_the_code_comes_back(edge: Edge) -> None:
    maria = new_customer()

    edge.post(f"{ANA}/customers", maria.sign_up)
    edge.code_for(maria.email)

    assert edge.announced(about=maria) == []
    assert all(word not in edge.stored() for word in (maria.cpf, maria.email, "Silva"))


@pytest.mark.parametrize("by", ["cpf", "email"])
def test_a_customer_comes_back_by_cpf_or_email(edge: Edge, by: str) -> None:
    maria = new_customer()
    first = edge.join(ANA, maria)

    session = edge.post(f"{ANA}/challenges", {by: getattr(maria, by)}).json_body["session"]
    code = edge.code_for(maria.email, mail=2)
    again = edge.post(f"{ANA}/tokens", {"session": session, "code": code})

    known, same = (
        edge.verifier.verify(token)
        for token in (first["access_token"], again.json_body["access_token"])
    )
    assert known == same


def test_a_repeated_sign_up_is_a_sign_in_and_one_event(edge: Edge) -> None:
    maria = new_customer()
    first = edge.join(ANA, maria)
    edge.after_a_minute()

    again = edge.join(ANA, maria, name="Somebody Else")

    subjects = {edge.verifier.verify(it["access_token"]).subject for it in (first, again)}
    assert len(subjects) == 1
    assert len(edge.announced(about=maria)) == 1
    profile = edge.send("GET", f"{ANA}/me", token=again["access_token"]).json_body
    assert profile["name"] == "Maria da Silva"


def test_the_third_wrong_code_locks_the_session_for_the_right_one(edge: Edge) -> None:
    maria = new_customer()
    edge.join(ANA, maria)
    session = edge.post(f"{ANA}/challenges", {"email": maria.email}).json_body["session"]
    code = edge.code_for(maria.email, mail=2)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"

    answers = [
        edge.post(f"{ANA}/tokens", {"session": session, "code": given})
        for given in (wrong, wrong, wrong, code)
    ]

    assert [answer.status_code for answer in answers] == [401] * 4
    assert all(answer.json_body == REFUSAL for answer in answers)


def test_the_right_code_after_a_wrong_one_signs_in_once(edge: Edge) -> None:
    maria = new_customer()
    session = edge.post(f"{ANA}/customers", maria.sign_up).json_body["session"]
    code = edge.code_for(maria.email)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"

    answers = [
        edge.post(f"{ANA}/tokens", {"session": session, "code": given})
        for given in (wrong, code, code)
    ]

    assert [answer.status_code for answer in answers] == [401, 200, 401]


def test_a_second_challenge_within_a_minute_sends_no_second_code(edge: Edge) -> None:
    maria = new_customer()
    edge.join(ANA, maria)

    first = edge.post(f"{ANA}/challenges", {"cpf": maria.cpf})
    code = edge.code_for(maria.email, mail=2)
    second = edge.post(f"{ANA}/challenges", {"email": maria.email})
    edge.until_bound(second.json_body["session"])

    assert first.json_body["session"] != second.json_body["session"]
    assert len(edge.mails(maria.email)) == 2
    answer = {**second.json_body, "code": code}
    assert edge.post(f"{ANA}/tokens", answer).status_code == 200


def test_who_takes_a_cpf_first_does_not_lock_its_owner_out(edge: Edge) -> None:
    thief, maria = new_customer(), new_customer()
    edge.join(ANA, thief, cpf=maria.cpf)

    hers = edge.join(ANA, maria)
    session = edge.post(f"{ANA}/challenges", {"email": maria.email}).json_body["session"]
    code = edge.code_for(maria.email, mail=2)
    back = edge.post(f"{ANA}/tokens", {"session": session, "code": code})

    assert back.status_code == 200
    profile = edge.send("GET", f"{ANA}/me", token=hers["access_token"]).json_body
    assert profile["email"] == maria.email


def test_an_owner_gives_a_cpf_back_to_who_shows_a_document(edge: Edge) -> None:
    thief, maria = new_customer(), new_customer()
    edge.join(ANA, thief, cpf=maria.cpf)
    hers = edge.join(ANA, maria)["access_token"]

    body = {"cpf": maria.cpf, "reason": "documento mostrado no balcão"}
    released = edge.send("POST", f"{ANA}/staff/cpf-releases", body, token=_owner(edge))
    claimed = edge.send("PUT", f"{ANA}/me/cpf", {"cpf": maria.cpf}, token=hers)
    edge.post(f"{ANA}/challenges", {"cpf": maria.cpf})

    assert (released.status_code, claimed.status_code) == (202, 202)
    assert edge.code_for(maria.email, mail=2)
    assert len(edge.mails(thief.email)) == 1


def test_a_cpf_that_is_taken_does_not_get_a_second_address(edge: Edge) -> None:
    maria, thief = new_customer(), new_customer()
    edge.join(ANA, maria)

    edge.join(ANA, thief, cpf=maria.cpf)
    edge.post(f"{ANA}/challenges", {"cpf": maria.cpf})

    assert edge.code_for(maria.email, mail=2)
    assert len(edge.mails(thief.email)) == 1


def test_a_session_of_one_shop_opens_nothing_in_another(edge: Edge) -> None:
    maria = new_customer()
    session = edge.post(f"{ANA}/customers", maria.sign_up).json_body["session"]

    answer = edge.post(f"{BETO}/tokens", {"session": session, "code": edge.code_for(maria.email)})

    assert answer.status_code == 401


def test_people_read_their_codes_on_the_mailbox_page(edge: Edge) -> None:
    maria = new_customer()
    edge.post(f"{ANA}/customers", maria.sign_up)
    code = edge.code_for(maria.email)

    page = urllib3.request("GET", f"{edge.aws}/mailbox")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert maria.email in page.data.decode()
    assert code in page.data.decode()


def test_the_sixth_challenge_in_a_window_is_told_to_wait(edge: Edge) -> None:
    stranger = new_customer()

    # Two windows may meet under way, so ten requests fill at least one.
    statuses = [
        edge.post(f"{ANA}/challenges", {"cpf": stranger.cpf}).status_code for _ in range(11)
    ]

    assert statuses[:5] == [200] * 5
    assert 429 in statuses


@pytest.mark.parametrize("group", ["kitchen", "manager", "owner"])
def test_staff_sign_in_with_their_group_and_shop(edge: Edge, group: str) -> None:
    login = next(it for it in edge.identity.staff if it.shop == BETO and it.groups == (group,))
    body = {"username": login.username, "password": login.password}

    tokens = edge.post(f"{BETO}/staff/tokens", body)

    identity = edge.verifier.verify(tokens.json_body["access_token"])
    assert (identity.kind, identity.shop_id) == (Kind.STAFF, BETO)
    assert identity.groups == frozenset({group})


@pytest.mark.parametrize(
    ("shop", "changes"),
    [
        (BETO, {"password": "wrong"}),
        (BETO, {"username": "nobody"}),
        (ANA, {}),
    ],
)
def test_staff_with_a_wrong_password_name_or_shop_are_refused_alike(
    edge: Edge, shop: ShopId, changes: dict[str, str]
) -> None:
    login = next(it for it in edge.identity.staff if it.shop == BETO)
    body = {"username": login.username, "password": login.password, **changes}

    answer = edge.post(f"{shop}/staff/tokens", body)

    assert (answer.status_code, answer.json_body) == (401, REFUSAL)


def _owner(edge: Edge) -> str:
    return edge.staff_token(ANA, "owner")


def test_provisioning_again_keeps_pools_and_clients(
    edge: Edge, environment: dict[str, str]
) -> None:
    again = provision_identity(
        stage=STAGE, shops=[ANA, BETO], environment=environment, staff=edge.identity.staff
    )

    assert again == edge.identity
