"""Sign-up and sign-in through the Chalice app, against Cognito, SES and DynamoDB in ministack."""

import pytest

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
    "type": "about:blank",
    "title": "Sign-in refused",
    "status": 401,
    "detail": "start again, or check what was typed",
}


def test_a_new_customer_signs_up_and_in_with_the_code_that_was_mailed(edge: Edge) -> None:
    maria = new_customer()

    signed_up = edge.post(f"{ANA}/customers", maria.sign_up)
    challenged = edge.post(f"{ANA}/challenges", {"cpf": maria.cpf})
    answer = {**challenged.json_body, "code": edge.code_for(maria.email)}
    tokens = edge.post(f"{ANA}/tokens", answer)

    assert signed_up.status_code == 202
    assert tokens.status_code == 200
    assert tokens.json_body["expires_in"] == 900
    (registered,) = edge.announced()
    assert registered["data"] == {
        "shop_id": ANA,
        "customer_id": registered["subject"],
        "email": maria.email,
    }
    assert edge.verifier.verify(tokens.json_body["access_token"]) == Identity(
        subject=registered["subject"], shop_id=ANA, kind=Kind.CUSTOMER, groups=frozenset()
    )


def test_a_repeated_sign_up_is_one_customer_and_one_event(edge: Edge) -> None:
    maria = new_customer()

    answers = [edge.post(f"{ANA}/customers", maria.sign_up) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [202] * 3
    assert len(edge.announced()) == 1


def test_the_third_wrong_code_locks_the_session_for_the_right_one(edge: Edge) -> None:
    maria = new_customer()
    edge.post(f"{ANA}/customers", maria.sign_up)
    session = edge.post(f"{ANA}/challenges", {"email": maria.email}).json_body["session"]
    code = edge.code_for(maria.email)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"

    answers = [
        edge.post(f"{ANA}/tokens", {"session": session, "code": given})
        for given in (wrong, wrong, wrong, code)
    ]

    assert [answer.status_code for answer in answers] == [401] * 4
    assert all(answer.json_body == REFUSAL for answer in answers)


def test_the_right_code_after_a_wrong_one_signs_in_once(edge: Edge) -> None:
    maria = new_customer()
    edge.post(f"{ANA}/customers", maria.sign_up)
    session = edge.post(f"{ANA}/challenges", {"cpf": maria.cpf}).json_body["session"]
    code = edge.code_for(maria.email)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"

    answers = [
        edge.post(f"{ANA}/tokens", {"session": session, "code": given})
        for given in (wrong, code, code)
    ]

    assert [answer.status_code for answer in answers] == [401, 200, 401]


def test_a_second_challenge_within_a_minute_sends_no_second_code(edge: Edge) -> None:
    maria = new_customer()
    edge.post(f"{ANA}/customers", maria.sign_up)

    first = edge.post(f"{ANA}/challenges", {"cpf": maria.cpf})
    second = edge.post(f"{ANA}/challenges", {"email": maria.email})
    answer = {**second.json_body, "code": edge.code_for(maria.email)}

    assert first.json_body["session"] != second.json_body["session"]
    assert len(edge.mails(maria.email)) == 1
    assert edge.post(f"{ANA}/tokens", answer).status_code == 200


def test_a_stranger_gets_answers_of_the_same_shape_as_a_customer(edge: Edge) -> None:
    maria, stranger = new_customer(), new_customer()
    edge.post(f"{ANA}/customers", maria.sign_up)

    challenges = [edge.post(f"{ANA}/challenges", {"cpf": who.cpf}) for who in (maria, stranger)]
    wrong = f"{(int(edge.code_for(maria.email)) + 1) % 1_000_000:06d}"
    refusals = [
        edge.post(f"{ANA}/tokens", {**challenge.json_body, "code": wrong})
        for challenge in challenges
    ]

    known, unknown = challenges
    assert known.status_code == unknown.status_code == 200
    assert known.json_body.keys() == unknown.json_body.keys()
    assert len(known.json_body["session"]) == len(unknown.json_body["session"])
    assert known.headers == unknown.headers
    assert [refusal.json_body for refusal in refusals] == [REFUSAL, REFUSAL]
    assert edge.mails(stranger.email) == []


def test_a_cpf_that_is_taken_does_not_get_a_second_address(edge: Edge) -> None:
    maria, thief = new_customer(), new_customer()
    edge.post(f"{ANA}/customers", maria.sign_up)

    answer = edge.post(f"{ANA}/customers", {**thief.sign_up, "cpf": maria.cpf})
    edge.post(f"{ANA}/challenges", {"cpf": maria.cpf})

    assert (answer.status_code, answer.json_body) == (202, {"status": "accepted"})
    assert edge.mails(thief.email) == []
    assert len(edge.mails(maria.email)) == 1


def test_a_session_of_one_shop_opens_nothing_in_another(edge: Edge) -> None:
    maria = new_customer()
    edge.post(f"{ANA}/customers", maria.sign_up)
    session = edge.post(f"{ANA}/challenges", {"cpf": maria.cpf}).json_body["session"]

    answer = edge.post(f"{BETO}/tokens", {"session": session, "code": edge.code_for(maria.email)})

    assert answer.status_code == 401


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


def test_provisioning_again_keeps_pools_and_clients(
    edge: Edge, environment: dict[str, str]
) -> None:
    again = provision_identity(
        stage=STAGE, shops=[ANA, BETO], environment=environment, staff=edge.identity.staff
    )

    assert again == edge.identity
