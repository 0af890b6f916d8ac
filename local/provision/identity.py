"""Make both user pools in the stand-in for Cognito: triggers, clients, groups and staff."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from comanda.ids import ShopId
from local.provision.context import StaffLogin
from local.provision.triggers import ARNs, deploy_post, deploy_triggers

STAFF_GROUPS = ("kitchen", "manager", "owner")
PASSWORD_POLICY = {
    "MinimumLength": 12,
    "RequireLowercase": True,
    "RequireUppercase": True,
    "RequireNumbers": True,
    "RequireSymbols": False,
    "TemporaryPasswordValidityDays": 3,
}
_SENDER = "nao-responda@comanda.example"
_ACCESS_MINUTES = 15
_SESSION_MINUTES = 5


@dataclass(frozen=True, kw_only=True)
class ProvisionedIdentity:
    """Both pools, where their keys are, and who can sign in as staff."""

    customer_pool_id: str
    customer_client_id: str
    customer_issuer: str
    customer_jwks_url: str
    staff_pool_id: str
    staff_client_id: str
    staff_issuer: str
    staff_jwks_url: str
    # The logins hold passwords, and a representation ends in logs.
    staff: tuple[StaffLogin, ...] = field(repr=False)

    def environment(self) -> dict[str, str]:
        """Give the variables of both pools; the guests' issuer is known to who starts the edge."""
        return {
            "COMANDA_CUSTOMER_POOL_ID": self.customer_pool_id,
            "COMANDA_CUSTOMER_CLIENT_ID": self.customer_client_id,
            "COMANDA_CUSTOMER_ISSUER": self.customer_issuer,
            "COMANDA_CUSTOMER_JWKS_URL": self.customer_jwks_url,
            "COMANDA_STAFF_POOL_ID": self.staff_pool_id,
            "COMANDA_STAFF_CLIENT_ID": self.staff_client_id,
            "COMANDA_STAFF_ISSUER": self.staff_issuer,
            "COMANDA_STAFF_JWKS_URL": self.staff_jwks_url,
        }


def provision_identity(
    *,
    stage: str,
    shops: Sequence[ShopId],
    environment: Mapping[str, str],
    staff: Sequence[StaffLogin] = (),
) -> ProvisionedIdentity:
    """Make what is not there yet; staff that nobody named are invented, one per shop and group.

    `environment` leads to the stand-in (`AWS_ENDPOINT_URL`, `AWS_DEFAULT_REGION` and keys).
    """
    logins = tuple(staff) or tuple(_invented_staff(shops))
    client_for("ses", environment).verify_email_identity(EmailAddress=_SENDER)
    client = client_for("cognito-idp", environment)
    region, endpoint = environment["AWS_DEFAULT_REGION"], environment["AWS_ENDPOINT_URL"]
    functions = client_for("lambda", environment)
    variables = _trigger_variables(stage, environment)
    triggers = deploy_triggers(functions, stage=stage, variables=variables)
    customers = _pool(client, f"comanda-{stage}-customers", _customer_triggers(triggers))
    workforce = _pool(client, f"comanda-{stage}-staff", _staff_triggers(triggers))
    deploy_post(
        functions,
        stage=stage,
        variables={
            **variables,
            "COMANDA_CUSTOMER_POOL_ID": customers,
            "COMANDA_STAFF_POOL_ID": workforce,
        },
    )
    # Staff may add an app's one-time passwords to theirs; customers have no passwords at all.
    client.set_user_pool_mfa_config(
        UserPoolId=workforce,
        SoftwareTokenMfaConfiguration={"Enabled": True},
        MfaConfiguration="OPTIONAL",
    )
    _make_groups(client, workforce)
    for login in logins:
        _make_user(client, workforce, login)
    return ProvisionedIdentity(
        customer_pool_id=customers,
        customer_client_id=_client(client, customers, flow="ALLOW_CUSTOM_AUTH"),
        customer_issuer=_issuer(region, customers),
        customer_jwks_url=_jwks_url(endpoint, customers),
        staff_pool_id=workforce,
        staff_client_id=_client(client, workforce, flow="ALLOW_ADMIN_USER_PASSWORD_AUTH"),
        staff_issuer=_issuer(region, workforce),
        staff_jwks_url=_jwks_url(endpoint, workforce),
        staff=logins,
    )


def client_for(service: str, environment: Mapping[str, str]) -> Any:
    """Build a client of the stand-in, whatever the environment of this process says."""
    # Importing boto3 takes long enough to be done while the stand-ins start.
    import boto3

    return boto3.session.Session().client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def _trigger_variables(stage: str, environment: Mapping[str, str]) -> dict[str, str]:
    table = environment.get("COMANDA_CUSTOMERS_TABLE", f"comanda-{stage}-customers")
    return {
        "COMANDA_STAGE": stage,
        "COMANDA_CUSTOMERS_TABLE": table,
        "COMANDA_EMAIL_SENDER": f"Comanda <{_SENDER}>",
    }


def _customer_triggers(arns: ARNs) -> dict[str, Any]:
    return {
        "DefineAuthChallenge": arns["define_auth_challenge"],
        "CreateAuthChallenge": arns["create_auth_challenge"],
        "VerifyAuthChallengeResponse": arns["verify_auth_challenge"],
        **_staff_triggers(arns),
    }


def _staff_triggers(arns: ARNs) -> dict[str, Any]:
    # Only version 2 of this trigger may change the access token.
    config = {"LambdaVersion": "V2_0", "LambdaArn": arns["pre_token_generation"]}
    return {"PreTokenGenerationConfig": config}


def _pool(client: Any, name: str, triggers: Mapping[str, Any]) -> str:
    for page in client.get_paginator("list_user_pools").paginate(MaxResults=60):
        for pool in page["UserPools"]:
            if pool["Name"] == name:
                return str(pool["Id"])
    answer = client.create_user_pool(
        PoolName=name,
        LambdaConfig=triggers,
        UserPoolTier="ESSENTIALS",
        # Nobody signs up past our own API, where sign-ups are checked and counted.
        AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
        Policies={"PasswordPolicy": PASSWORD_POLICY},
        Schema=[{"Name": "shop", "AttributeDataType": "String", "Mutable": False}],
    )
    return str(answer["UserPool"]["Id"])


def _client(client: Any, pool_id: str, *, flow: str) -> str:
    for known in client.list_user_pool_clients(UserPoolId=pool_id, MaxResults=10)[
        "UserPoolClients"
    ]:
        return str(known["ClientId"])
    answer = client.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="comanda",
        ExplicitAuthFlows=[flow, "ALLOW_REFRESH_TOKEN_AUTH"],
        PreventUserExistenceErrors="ENABLED",
        AuthSessionValidity=_SESSION_MINUTES,
        AccessTokenValidity=_ACCESS_MINUTES,
        IdTokenValidity=_ACCESS_MINUTES,
        RefreshTokenValidity=7,
        TokenValidityUnits={
            "AccessToken": "minutes",
            "IdToken": "minutes",
            "RefreshToken": "days",
        },
        EnableTokenRevocation=True,
    )
    return str(answer["UserPoolClient"]["ClientId"])


def _make_groups(client: Any, pool_id: str) -> None:
    for group in STAFF_GROUPS:
        with suppress(client.exceptions.GroupExistsException):
            client.create_group(UserPoolId=pool_id, GroupName=group)


def _invented_staff(shops: Sequence[ShopId]) -> Iterator[StaffLogin]:
    for shop in shops:
        for group in STAFF_GROUPS:
            yield StaffLogin(
                shop=shop,
                username=f"{shop}-{group}",
                password=f"aA1!{secrets.token_urlsafe(18)}",
                groups=(group,),
            )


def _make_user(client: Any, pool_id: str, login: StaffLogin) -> None:
    whom = {"UserPoolId": pool_id, "Username": login.username}
    with suppress(client.exceptions.UsernameExistsException):
        client.admin_create_user(
            **whom,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "custom:shop", "Value": str(login.shop)},
                # Where a code goes to who forgot their password: the mailbox page shows it.
                {"Name": "email", "Value": f"{login.username}@equipe.example"},
                {"Name": "email_verified", "Value": "true"},
            ],
        )
    client.admin_set_user_password(**whom, Password=login.password, Permanent=True)
    for group in login.groups:
        client.admin_add_user_to_group(**whom, GroupName=group)


def _issuer(region: str, pool_id: str) -> str:
    return f"https://cognito-idp.{region}.amazonaws.com/{pool_id}"


def _jwks_url(endpoint: str, pool_id: str) -> str:
    return f"{endpoint}/{pool_id}/.well-known/jwks.json"
