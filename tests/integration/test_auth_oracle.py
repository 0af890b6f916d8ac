"""Nobody learns from our answers who is a customer: not by status, body, headers, size or time."""

import statistics
import time
from typing import Any

import pytest

from tests import auth_edge
from tests.auth_edge import ANA, Customer, Edge, new_customer

aws, bus, environment, edge = (
    auth_edge.aws,
    auth_edge.bus,
    auth_edge.environment,
    auth_edge.edge,
)
ROUNDS = 40
# How far the halves may lie apart: the share of known answers that are slower than the median
# unknown one. A look-up in another service would give 100 % or 0 %.
FAIR = (0.2, 0.8)


def shape(answer: Any) -> tuple[Any, ...]:
    headers = {name: value for name, value in answer.headers.items() if name != "Date"}
    body = {name: len(str(value)) for name, value in answer.json_body.items()}
    return answer.status_code, headers, body


@pytest.mark.parametrize("by", ["cpf", "email"])
def test_a_stranger_and_a_customer_get_the_same_answers(edge: Edge, by: str) -> None:
    maria, stranger = new_customer(), new_customer()
    edge.join(ANA, maria)

    challenges = [
        edge.post(f"{ANA}/challenges", {by: getattr(who, by)}) for who in (maria, stranger)
    ]
    right = edge.code_for(maria.email, mail=2)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    refusals = [
        [edge.post(f"{ANA}/tokens", {**it.json_body, "code": wrong}) for _ in range(4)]
        for it in challenges
    ]

    known, unknown = challenges
    assert shape(known) == shape(unknown)
    assert [shape(it) for it in refusals[0]] == [shape(it) for it in refusals[1]]
    assert refusals[0][0].json_body == refusals[1][0].json_body
    assert edge.mails(stranger.email) == []


def test_a_sign_up_of_a_known_email_or_cpf_looks_like_any_other(edge: Edge) -> None:
    maria, stranger, thief = new_customer(), new_customer(), new_customer()
    edge.join(ANA, maria)
    edge.after_a_minute()

    answers = [
        edge.post(f"{ANA}/customers", body)
        for body in (maria.sign_up, stranger.sign_up, {**thief.sign_up, "cpf": maria.cpf})
    ]

    assert len({str(shape(answer)) for answer in answers}) == 1
    subjects = {
        edge.mails(who.email)[-1]["Subject"]
        for who in (maria, stranger, thief)
        if edge.code_for(who.email, mail=2 if who is maria else 1)
    }
    assert len(subjects) == 1


def test_time_tells_nothing_of_who_asks_for_a_code(edge: Edge) -> None:
    known = [new_customer() for _ in range(ROUNDS)]
    for customer in known:
        _register(edge, customer)
    strangers = [new_customer() for _ in range(ROUNDS)]

    slower = _share_of_slower(
        edge,
        [{"cpf": it.cpf} for it in known],
        [{"cpf": it.cpf} for it in strangers],
        path=f"{ANA}/challenges",
    )

    assert FAIR[0] <= slower <= FAIR[1]


def test_time_tells_nothing_of_whose_code_was_wrong(edge: Edge) -> None:
    known = [new_customer() for _ in range(ROUNDS)]
    bodies: dict[bool, list[dict[str, str]]] = {True: [], False: []}
    for customer in known:
        _register(edge, customer)
        session = edge.post(f"{ANA}/challenges", {"cpf": customer.cpf}).json_body["session"]
        edge.until_bound(session)
        bodies[True].append({"session": session, "code": "000000"})
        stranger = edge.post(f"{ANA}/challenges", {"cpf": new_customer().cpf}).json_body
        bodies[False].append({**stranger, "code": "000000"})

    slower = _share_of_slower(edge, bodies[True], bodies[False], path=f"{ANA}/tokens")

    assert FAIR[0] <= slower <= FAIR[1]


def test_time_tells_nothing_of_whose_password_code_was_wrong(edge: Edge) -> None:
    bodies: dict[bool, list[dict[str, str]]] = {True: [], False: []}
    for number, username in enumerate(_hire(edge, ROUNDS // 2)):
        asked = edge.from_address(f"203.0.113.{100 + number % 8}")
        for is_known, name in ((True, username), (False, f"{username}-nobody")):
            path = f"{ANA}/staff/password-codes"
            session = asked.post(path, {"username": name}).json_body["session"]
            if is_known:
                edge.until_bound(session, prefix="SESSION#PASSWORD")
            given = {"session": session, "code": "000000", "new_password": "Outra-Senha-2!"}
            bodies[is_known].append(given)

    slower = _share_of_slower(edge, bodies[True], bodies[False], path=f"{ANA}/staff/passwords")

    assert FAIR[0] <= slower <= FAIR[1]


def test_an_outage_of_the_mail_tells_nothing_either(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    maria, stranger = new_customer(), new_customer()
    _register(edge, maria)
    # Nothing on the path of an answer sends mail, so this breaks nothing that is seen.
    monkeypatch.setenv("AWS_ENDPOINT_URL_SES", "http://127.0.0.1:9")

    answers = [edge.post(f"{ANA}/challenges", {"cpf": who.cpf}) for who in (maria, stranger)]

    assert shape(answers[0]) == shape(answers[1])
    assert answers[0].status_code == 200


def _register(edge: Edge, customer: Customer) -> None:
    """Make a customer in the stores alone: no mail, no waiting."""
    import boto3

    from auth_lambda.chalicelib.pseudonyms import Email, Pseudonyms
    from auth_lambda.chalicelib.registry import CustomerRegistry, Registration
    from auth_lambda.chalicelib.table import Table
    from comanda.clock import utc_now
    from comanda.cpf import CPF
    from comanda.ids import CustomerId, EventId, new_id

    secret = boto3.client("secretsmanager").get_secret_value(SecretId="comanda/laptop/cpf-key")
    names = Pseudonyms(bytes.fromhex(secret["SecretString"]))
    now = utc_now()
    customer_id = CustomerId(new_id(now))
    CustomerRegistry(Table(boto3.client("dynamodb"), auth_edge.TABLE)).claim(
        Registration(
            customer_id=customer_id,
            shop_id=ANA,
            event_id=EventId(new_id(now)),
            registered_at=now,
            consent_version="1",
            consented_at=now,
            email_name=names.of(Email(customer.email)),
            cpf_name=names.of(CPF(customer.cpf)),
        )
    )
    boto3.client("cognito-idp").admin_create_user(
        UserPoolId=edge.identity.customer_pool_id,
        Username=customer_id,
        MessageAction="SUPPRESS",
        UserAttributes=[
            {"Name": "email", "Value": customer.email},
            {"Name": "custom:shop", "Value": str(ANA)},
        ],
    )


def _hire(edge: Edge, count: int) -> list[str]:
    """Make members of staff in Cognito alone: no invitation, no waiting."""
    import boto3

    pool, cognito = edge.identity.staff_pool_id, boto3.client("cognito-idp")
    names = [f"ana-{new_customer().cpf}" for _ in range(count)]
    for name in names:
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=name,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": f"{name}@exemplo.com.br"},
                {"Name": "email_verified", "Value": "true"},
                {"Name": "custom:shop", "Value": str(ANA)},
            ],
        )
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName="kitchen")
    return names


def _share_of_slower(
    edge: Edge, known: list[dict[str, str]], unknown: list[dict[str, str]], *, path: str
) -> float:
    """Give how many of the known answers took longer than the middle unknown one."""
    crowd = [edge.from_address(f"203.0.113.{number}") for number in range(8)]
    times: dict[bool, list[float]] = {True: [], False: []}
    for number, pair in enumerate(zip(known, unknown, strict=True)):
        # Alternating, so that what comes first is not always the same.
        order = [(True, pair[0]), (False, pair[1])][:: 1 if number % 2 else -1]
        for is_known, body in order:
            began = time.perf_counter()
            answer = crowd[number % 8].post(path, body)
            times[is_known].append(time.perf_counter() - began)
            assert answer.status_code in (200, 401)
            # What was handed over in the background ends before the next is timed.
            time.sleep(0.15 if answer.status_code == 200 else 0)
    middle = statistics.median(times[False])
    return sum(it > middle for it in times[True]) / len(times[True])
