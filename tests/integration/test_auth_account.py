"""A customer's life after the sign-in: refresh, sign-out, profile, and to be forgotten."""

import boto3
import pytest

from tests import auth_edge
from tests.auth_edge import ANA, BETO, Edge, new_customer

aws, bus, environment, edge = (
    auth_edge.aws,
    auth_edge.bus,
    auth_edge.environment,
    auth_edge.edge,
)


def refresh(edge: Edge, token: str, *, shop: str = ANA) -> object:
    return edge.post(f"{shop}/tokens/refresh", {"refresh_token": token})


def test_a_refresh_gives_new_tokens_of_the_same_customer(edge: Edge) -> None:
    tokens = edge.join(ANA, new_customer())

    renewed = refresh(edge, tokens["refresh_token"])

    assert renewed.status_code == 200
    before, after = (edge.verifier.verify(it["access_token"]) for it in (tokens, renewed.json_body))
    assert before == after
    assert renewed.json_body["expires_in"] == 900
    assert renewed.json_body["refresh_token"] != tokens["refresh_token"]


def test_a_refresh_token_that_comes_back_ends_all_that_came_of_it(edge: Edge) -> None:
    first = edge.join(ANA, new_customer())["refresh_token"]
    second = refresh(edge, first).json_body["refresh_token"]
    third = refresh(edge, second).json_body["refresh_token"]

    answers = [refresh(edge, token).status_code for token in (first, third, second)]

    assert answers == [401, 401, 401]


def test_a_refresh_token_is_ours_and_no_copy_of_the_table_gives_it_away(edge: Edge) -> None:
    token = edge.join(ANA, new_customer())["refresh_token"]

    assert token.split(".")[2] not in edge.stored()
    assert refresh(edge, token, shop=BETO).status_code == 401


def test_a_sign_out_ends_one_visit(edge: Edge) -> None:
    maria = new_customer()
    here = edge.join(ANA, maria)["refresh_token"]
    edge.after_a_minute()
    there = edge.join(ANA, maria)["refresh_token"]

    answers = [edge.post(f"{ANA}/tokens/revoke", {"refresh_token": here}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert refresh(edge, here).status_code == 401
    assert refresh(edge, there).status_code == 200


def test_a_sign_out_everywhere_ends_all(edge: Edge) -> None:
    maria = new_customer()
    here = edge.join(ANA, maria)
    edge.after_a_minute()
    there = edge.join(ANA, maria)

    answer = edge.send("DELETE", f"{ANA}/me/sessions", token=here["access_token"])

    assert answer.status_code == 204
    for tokens in (here, there):
        assert refresh(edge, tokens["refresh_token"]).status_code == 401


def test_a_profile_is_shown_and_edited_on_what_was_seen(edge: Edge) -> None:
    maria = new_customer()
    token = edge.join(ANA, maria, birth_date="2008-02-29")["access_token"]
    seen = edge.send("GET", f"{ANA}/me", token=token)
    etag = seen.headers["ETag"]

    edit = {"name": "Maria José", "birth_date": None}
    edited = edge.send("PATCH", f"{ANA}/me", edit, token=token, **{"If-Match": etag})
    late = edge.send("PATCH", f"{ANA}/me", {"name": "X"}, token=token, **{"If-Match": etag})
    blind = edge.send("PATCH", f"{ANA}/me", {"name": "X"}, token=token)

    assert (seen.json_body["name"], seen.json_body["birth_date"]) == (
        "Maria da Silva",
        "2008-02-29",
    )
    assert seen.json_body["consent"]["version"] == "2026-11"
    assert (edited.json_body["name"], edited.json_body["birth_date"]) == ("Maria José", None)
    assert (late.status_code, blind.status_code) == (412, 428)
    assert edge.send("GET", f"{ANA}/me", token=token).json_body["name"] == "Maria José"


def test_an_erased_customer_is_gone_from_everywhere_and_has_a_receipt(edge: Edge) -> None:
    maria = new_customer()
    tokens = edge.join(ANA, maria)
    token = tokens["access_token"]
    customer_id = edge.verifier.verify(token).subject
    edge.post(f"{ANA}/guests", {"kiosk": "k1", "cpf": maria.cpf})

    receipts = [edge.send("DELETE", f"{ANA}/me", token=token) for _ in range(2)]

    assert [receipt.status_code for receipt in receipts] == [200, 200]
    assert receipts[0].json_body == receipts[1].json_body
    assert edge.send("GET", f"{ANA}/me", token=token).status_code == 404
    assert refresh(edge, tokens["refresh_token"]).status_code == 401
    events = [it for it in edge.announced() if it["subject"] == customer_id]
    erased = [it for it in events if it["type"] == "customers.customer.erased.v1"]
    assert len({it["id"] for it in erased}) == 1
    assert maria.email not in str(erased)
    left = [line for line in _partitions() if customer_id in line]
    # The receipt, and until it is announced again, a note of that.
    assert sorted(left) == [f"CUSTOMER#{customer_id} ERASURE", f"UNFINISHED ECHO#{customer_id}"]
    users = boto3.client("cognito-idp").list_users(
        UserPoolId=edge.identity.customer_pool_id, Limit=60
    )["Users"]
    assert customer_id not in [user["Username"] for user in users]


def test_who_was_erased_may_come_again_as_somebody_new(edge: Edge) -> None:
    maria = new_customer()
    token = edge.join(ANA, maria)["access_token"]
    edge.send("DELETE", f"{ANA}/me", token=token)

    again = edge.join(ANA, maria)["access_token"]

    old, new = (edge.verifier.verify(it).subject for it in (token, again))
    assert old != new


def test_an_erasure_is_on_record_without_the_person(edge: Edge) -> None:
    maria = new_customer()
    token = edge.join(ANA, maria)["access_token"]
    customer_id = edge.verifier.verify(token).subject
    receipt = edge.send("DELETE", f"{ANA}/me", token=token).json_body

    acts = edge.send("GET", f"{ANA}/staff/audit", token=edge.staff_token(ANA, "owner")).json_body

    (act,) = [it for it in acts["acts"] if it["whom"] == receipt["protocol"]]
    assert act["what"] == "customer.erased"
    assert all(word not in str(act) for word in (maria.email, maria.cpf, customer_id))


def test_a_guest_who_gives_a_cpf_gets_an_ordinary_token(edge: Edge) -> None:
    maria = new_customer()
    edge.join(ANA, maria)

    answer = edge.post(f"{ANA}/guests", {"kiosk": "k1", "cpf": maria.cpf})

    token = answer.json_body["access_token"]
    assert answer.status_code == 201
    assert edge.send("GET", f"{ANA}/me", token=token).status_code == 403
    assert maria.cpf not in edge.stored()


def test_one_kiosk_lets_in_so_many_and_another_goes_on(edge: Edge) -> None:
    statuses = [edge.post(f"{BETO}/guests", {"kiosk": "busy"}).status_code for _ in range(245)]

    assert statuses[:120] == [201] * 120
    assert statuses[-1] == 429
    assert edge.post(f"{BETO}/guests", {"kiosk": "other"}).status_code == 201


@pytest.mark.parametrize("path", ["me", "me/export"])
def test_staff_and_guests_have_no_profile(edge: Edge, path: str) -> None:
    guest = edge.post(f"{ANA}/guests", {"kiosk": "k1"}).json_body["access_token"]

    for token in (guest, edge.staff_token(ANA, "owner")):
        assert edge.send("GET", f"{ANA}/{path}", token=token).status_code == 403


def _partitions() -> list[str]:
    items = boto3.resource("dynamodb").Table(auth_edge.TABLE).scan(ConsistentRead=True)["Items"]
    return [f"{item['pk']} {item['sk']}" for item in items]
