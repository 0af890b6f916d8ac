"""`comanda staff`: who works in a shop, and what they may."""

from typing import Annotated, Any

import typer

from console.commands.asking import (
    Asked,
    JsonOption,
    PlacesOption,
    ShopOption,
    answer_json,
    asked,
    out,
    plain,
    table,
    told,
)

staff = typer.Typer(no_args_is_help=True, help="Who works in a shop.")
Who = Annotated[str, typer.Argument(help="A username.")]
Why = Annotated[str, typer.Option("--why", help="Why; it goes to the audit.")]
Groups = Annotated[
    list[str], typer.Option("--group", help="kitchen, manager or owner; may be repeated.")
]


@staff.command("list")
def list_staff(
    *, shop: ShopOption = "", places: PlacesOption = None, as_json: JsonOption = False
) -> None:
    """List who works in the shop, and what they may.

    Example: comanda staff list --shop lanchonete-da-ana
    """
    with told():
        found = asked(places, shop).read("auth", "/staff")["staff"]
    if as_json:
        answer_json(found)
        return
    rows = [
        (it["username"], ", ".join(it["groups"]), "yes" if it["is_enabled"] else "no")
        for it in found
    ]
    table("Staff", ("who", "groups", "gets in"), rows)


@staff.command()
def invite(
    who: Who,
    email: Annotated[str, typer.Argument(help="Where their first password goes.")],
    groups: Groups,
    why: Why,
    *,
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Invite somebody; their first password goes to them by e-mail.

    Example: comanda staff invite bia bia@example.com --group kitchen --why "hired"
    """
    body = {"username": who, "email": email, "groups": groups, "reason": why}
    with told():
        made = asked(places, shop).send("auth", "/staff", body)
    _tell(made, as_json=as_json)


@staff.command("groups")
def set_groups(
    who: Who,
    groups: Groups,
    why: Why,
    *,
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put somebody into these groups, and out of all others.

    Example: comanda staff groups bia --group kitchen --group manager --why "promoted"
    """
    with told():
        _tell(_changed(asked(places, shop), who, why=why, groups=groups), as_json=as_json)


@staff.command()
def disable(
    who: Who,
    why: Why,
    *,
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let somebody in no more; who is signed in is out within 15 minutes.

    Example: comanda staff disable bia --why "left us"
    """
    with told():
        _tell(_changed(asked(places, shop), who, why=why, is_enabled=False), as_json=as_json)


@staff.command()
def enable(
    who: Who,
    why: Why,
    *,
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let somebody in again.

    Example: comanda staff enable bia --why "came back"
    """
    with told():
        _tell(_changed(asked(places, shop), who, why=why, is_enabled=True), as_json=as_json)


def _changed(ask: Asked, who: str, *, why: str, **change: object) -> Any:
    return ask.send("auth", f"/staff/members/{who}", {**change, "reason": why}, method="PATCH")


def _tell(member: Any, *, as_json: bool) -> None:
    if as_json:
        answer_json(member)
        return
    access = "gets in" if member["is_enabled"] else "gets in no more"
    out.print(plain(f"{member['username']}: {', '.join(member['groups'])}; {access}"))
