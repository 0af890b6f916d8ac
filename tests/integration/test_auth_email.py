"""Another e-mail: proven first, then the only one; the old address is told, and nobody learns."""

import boto3
import pytest

from tests import auth_edge
from tests.auth_edge import ANA, BETO, TABLE, Customer, Edge, new_customer

aws, bus, environment, edge = (
    auth_edge.aws,
    auth_edge.bus,
    auth_edge.environment,
    auth_edge.edge,
)


def ask(edge: Edge, token: str, email: str, *, shop: str = ANA) -> str:
    answer = edge.send("POST", f"{shop}/me/email", {"email": email}, token=token)
    assert answer.status_code == 202, answer.body
    return str(answer.json_body["session"])


def confirm(edge: Edge, token: str, session: str, code: str) -> object:
    body = {"session": session, "code": code}
    return edge.send("PUT", f"{ANA}/me/email", body, token=token)


def moved(edge: Edge, token: str, email: str) -> object:
    session = ask(edge, token, email)
    return confirm(edge, token, session, edge.code_for(email, mail=len(edge.mails(email)) + 1))


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def names_of(customer_id: str) -> list[str]:
    items = boto3.resource("dynamodb").Table(TABLE).scan(ConsistentRead=True)["Items"]
    own = [it["pk"] for it in items if it.get("customer_id") == customer_id]
    return [pk for pk in own if pk.startswith("SHOP#")]


def test_a_proven_address_replaces_the_old_one_and_the_old_one_is_told(edge: Edge) -> None:
    maria, new = new_customer(), new_customer().email
    tokens = edge.join(ANA, maria)
    token = tokens["access_token"]

    answer = moved(edge, token, new)

    assert (answer.status_code, answer.json_body["email"]) == (200, new)
    assert edge.mails(maria.email)[-1]["Subject"] == "Seu e-mail foi trocado"
    assert new not in str(edge.mails(maria.email))
    events = [it["data"] for it in edge.announced(about=Customer(cpf="", email=new))]
    customer_id = edge.verifier.verify(token).subject
    assert [it["customer_id"] for it in events] == [customer_id]
    assert len(names_of(customer_id)) == 2  # The CPF, and one e-mail.
    # Whoever was in by the old mailbox is out.
    refresh = {"refresh_token": tokens["refresh_token"]}
    assert edge.post(f"{ANA}/tokens/refresh", refresh).status_code == 401


def test_who_moved_signs_in_by_the_new_address_and_by_the_old_one_no_more(edge: Edge) -> None:
    maria, new = new_customer(), new_customer().email
    token = edge.join(ANA, maria)["access_token"]
    moved(edge, token, new)
    edge.after_a_minute()

    by_old, by_new = [
        edge.post(f"{ANA}/challenges", {"email": email}).json_body["session"]
        for email in (maria.email, new)
    ]
    code = edge.code_for(new, mail=2)
    statuses = [
        edge.post(f"{ANA}/tokens", {"session": session, "code": code}).status_code
        for session in (by_old, by_new)
    ]

    assert statuses == [401, 200]
    somebody = edge.join(ANA, Customer(cpf=new_customer().cpf, email=maria.email))
    subjects = {edge.verifier.verify(it).subject for it in (token, somebody["access_token"])}
    assert len(subjects) == 2


def test_an_address_that_is_not_proven_changes_nothing(edge: Edge) -> None:
    maria, new = new_customer(), new_customer().email
    token = edge.join(ANA, maria)["access_token"]
    session = ask(edge, token, new)
    code = edge.code_for(new)

    statuses = [confirm(edge, token, session, wrong(code)).status_code for _ in range(3)]
    late = confirm(edge, token, session, code)

    assert [*statuses, late.status_code] == [401] * 4
    assert edge.send("GET", f"{ANA}/me", token=token).json_body["email"] == maria.email
    assert new not in edge.stored()


def test_a_code_for_another_address_signs_nobody_in(edge: Edge) -> None:
    token = edge.join(ANA, new_customer())["access_token"]
    new = new_customer().email
    session = ask(edge, token, new)

    body = {"session": session, "code": edge.code_for(new)}

    assert edge.post(f"{ANA}/tokens", body).status_code == 401


def test_a_sign_ins_code_moves_nobody(edge: Edge) -> None:
    maria = new_customer()
    token = edge.join(ANA, maria)["access_token"]
    edge.after_a_minute()
    session = edge.post(f"{ANA}/challenges", {"email": maria.email}).json_body["session"]

    answer = confirm(edge, token, session, edge.code_for(maria.email, mail=2))

    assert answer.status_code == 401


def test_another_customers_session_is_not_mine_to_confirm(edge: Edge) -> None:
    token, thief = [edge.join(ANA, new_customer())["access_token"] for _ in range(2)]
    new = new_customer().email
    session = ask(edge, token, new)

    answer = confirm(edge, thief, session, edge.code_for(new))

    assert answer.status_code == 401
    assert edge.send("GET", f"{ANA}/me", token=thief).json_body["email"] != new


def test_a_taken_address_looks_like_any_other_until_it_is_proven(edge: Edge) -> None:
    maria, joao = new_customer(), new_customer()
    token = edge.join(ANA, maria)["access_token"]
    edge.join(ANA, joao)
    answers = [
        edge.send("POST", f"{ANA}/me/email", {"email": email}, token=token)
        for email in (joao.email, new_customer().email)
    ]

    code = edge.code_for(joao.email, mail=2)
    refused = confirm(edge, token, answers[0].json_body["session"], code)

    assert (
        len({(it.status_code, *sorted(it.headers), *sorted(it.json_body)) for it in answers}) == 1
    )
    assert refused.status_code == 409
    assert edge.send("GET", f"{ANA}/me", token=token).json_body["email"] == maria.email
    edge.after_a_minute()
    session = edge.post(f"{ANA}/challenges", {"email": joao.email}).json_body["session"]
    body = {"session": session, "code": edge.code_for(joao.email, mail=3)}
    assert edge.post(f"{ANA}/tokens", body).status_code == 200


def test_the_same_address_in_another_shop_is_free(edge: Edge) -> None:
    maria, joao = new_customer(), new_customer()
    token = edge.join(ANA, maria)["access_token"]
    edge.join(BETO, joao)

    assert moved(edge, token, joao.email).status_code == 200


def test_the_sixth_change_within_an_hour_waits(edge: Edge) -> None:
    token = edge.join(ANA, new_customer())["access_token"]

    statuses = [
        edge.send("POST", f"{ANA}/me/email", {"email": new_customer().email}, token=token)
        for _ in range(6)
    ]

    assert [it.status_code for it in statuses] == [202] * 5 + [429]


@pytest.mark.parametrize("email", ["", "nobody", "a@b", None, 7])
def test_what_is_no_address_is_refused_by_name(edge: Edge, email: object) -> None:
    token = edge.join(ANA, new_customer())["access_token"]

    answer = edge.send("POST", f"{ANA}/me/email", {"email": email}, token=token)

    assert answer.status_code == 422
    assert [it["field"] for it in answer.json_body["errors"]] == ["email"]


def test_who_is_erased_after_a_change_leaves_no_name_behind(edge: Edge) -> None:
    maria, new = new_customer(), new_customer().email
    token = edge.join(ANA, maria)["access_token"]
    customer_id = edge.verifier.verify(token).subject
    moved(edge, token, new)

    edge.send("DELETE", f"{ANA}/me", token=token)

    assert names_of(customer_id) == []
    assert edge.send("GET", f"{ANA}/me", token=token).status_code == 404
    assert edge.send("POST", f"{ANA}/me/email", {"email": new}, token=token).status_code == 404
