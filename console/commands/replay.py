"""`comanda replay`: count the events of a window, and have them sent to one queue again."""

import os
from importlib.util import find_spec
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from console.commands.asking import (
    JsonOption,
    PlacesOption,
    ShopOption,
    answer_json,
    asked,
    become,
    give_up,
    out,
    table,
    told,
)
from console.places import places_file

app = typer.Typer(no_args_is_help=True, help="Send archived events to one queue again.")
Types = Annotated[list[str] | None, typer.Option("--type", help="A wire type; may be repeated.")]
Subjects = Annotated[list[str] | None, typer.Option("--about", help="An id; may be repeated.")]


@app.command("start")
def start(
    queue: Annotated[str, typer.Argument(help="The context whose queue gets them.")],
    *,
    since: Annotated[str, typer.Option(help="An instant, such as 2026-11-20T12:00:00Z.")],
    until: Annotated[str, typer.Option(help="The instant before which it ends.")],
    types: Types = None,
    subjects: Subjects = None,
    per_second: Annotated[int, typer.Option(min=1, max=200)] = 20,
    confirm: Annotated[str, typer.Option("--confirm", help="The count that was shown.")] = "",
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how many events it would be; with their count typed, send them.

    Example: comanda replay start catalog --since 2026-11-20T12:00Z --until 2026-11-20T13:00Z
    """
    body: dict[str, Any] = {"queue": queue, "since": since, "until": until}
    body |= {"types": types or [], "subjects": subjects or [], "per_second": per_second}
    query = urlencode({k: v for k, v in body.items() if v}, doseq=True)
    with told():
        ask = asked(places, shop)
        preview = ask.read("archive", f"/replays/preview?{query}")
        if not confirm and not as_json:
            rows = [*preview["by_type"].items()]
            rows += [
                (kind, f"{n} (not heard by {queue})") for kind, n in preview["left_out"].items()
            ]
            table(f"{preview['count']} events to {queue}", ("type", "count"), rows)
        if not confirm and os.isatty(0) and not as_json:
            confirm = str(typer.prompt("To send them, type their count"))
        if not confirm and as_json:
            answer_json(preview)
            return
        if confirm != str(preview["count"]):
            give_up(f"nothing was sent: --confirm {preview['count']} is needed")
        made = ask.door.send(ask.shop, ask.path("archive", "/replays"), body=body)
    if as_json:
        answer_json(made)
    else:
        out.print(f"replay {made['id']} is asked for; comanda replay list shows how far it is")


@app.command("list")
def list_replays(
    *, shop: ShopOption = "", places: PlacesOption = None, as_json: JsonOption = False
) -> None:
    """List the replays of a shop: who asked for what, and how far each is.

    Example: comanda replay list
    """
    with told():
        found = asked(places, shop).read("archive", "/replays")["replays"]
    if as_json:
        answer_json(found)
        return
    rows = [
        (it["id"], it["queue"], it["state"], it["sent"], it["asked_at"], it["by"]) for it in found
    ]
    table("Replays", ("replay", "queue", "state", "sent", "asked", "by"), rows)


@app.command("dry")
def dry(
    context: Annotated[str, typer.Argument(help="Whose handlers; orders for now.")],
    *,
    since: Annotated[str, typer.Option(help="An instant, such as 2026-11-20T12:00:00Z.")],
    until: Annotated[str, typer.Option(help="The instant before which it ends.")],
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run this clone's handlers on a window, in memory; show where they decide differently.

    Nothing is sent. Orders that were placed before the window are not judged; 1 when some differ.

    Example: comanda replay dry orders --since 2026-11-20T12:00Z --until 2026-11-20T13:00Z
    """
    if find_spec("local") is None:
        give_up("a dry run needs the repository, with the handlers that are to be tried")
    words = ["-m", "local.dry_run", context, "--since", since, "--until", until]
    words += ["--shop", shop] if shop else []
    with told():
        words += ["--places", str(places_file(places))]
    words += ["--json"] if as_json else []
    become(words)
