"""`comanda dlq`: look at dead letters, send them back, or let them go."""

import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from comanda.messaging.redrive import RedriveReport
from console.commands.asking import (
    FOUND,
    JsonOption,
    PlacesOption,
    answer_json,
    err,
    give_up,
    out,
    plain,
    table,
    told,
)
from console.commands.naming import operator
from console.commands.noting import DoorNotebook
from console.places import find_places
from console.queues import runs
from console.queues.caller import open_caller
from console.queues.letters import ReadLetter, grouped
from console.queues.noting import Notebook
from console.queues.queues import Queues
from console.queues.runs import Act, Choice

T = TypeVar("T")
app = typer.Typer(no_args_is_help=True, help="Dead letters: look, mend, send back, discard.")
_ALL = 1_000_000
Context = Annotated[str, typer.Argument(help="The context whose queue it is, such as orders.")]
Shop = Annotated[str, typer.Option("--shop", help="Only the letters of this shop.")]
Reason = Annotated[str, typer.Option("--reason", help="Only letters that are dead for this.")]
Type = Annotated[str, typer.Option("--type", help="Only events of this wire type.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Message ids; none for all that match.")]
Why = Annotated[str, typer.Option("--why", help="Why you do it; goes to the audit's log.")]
Confirm = Annotated[str, typer.Option("--confirm", help="Type the context's name here.")]


@app.command("list")
def list_letters(
    context: Annotated[str, typer.Argument(help="A context; none for a count of each.")] = "",
    *,
    shop: Shop = "",
    reason: Reason = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show dead letters by reason, or how many each queue has.

    Example: comanda dlq list orders
    """
    with told():
        queues = _queues(places)
        if not context:
            _show_counts(queues, as_json=as_json)
            return
        choice = Choice(shop=shop or None, reason=reason)
        found = _wait(_read(queues, context, choice))
    if as_json:
        answer_json([it.to_json() for it in found])
        return
    for group in grouped(found):
        rows = [
            (it.id, it.type, it.shop, it.subject, it.since, it.redriven) for it in group.letters
        ]
        columns = ("message", "type", "shop", "about", "since", "sent back")
        table(f"{len(rows)} × {plain(group.reason)}", columns, rows)
    if not found:
        out.print(f"no dead letters of {context}")


@app.command()
def show(
    context: Context,
    message_id: Annotated[str, typer.Argument(help="A message's id.")],
    *,
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one letter: why it is dead, its history, its attributes, its body.

    Example: comanda dlq show orders 1f0c...
    """
    with told():
        found = _wait(_read(_queues(places), context, Choice(ids=frozenset({message_id}))))
    if not found:
        give_up(f"no such letter among the first {runs.MOST_AT_ONCE} of {context}")
    (letter,) = found
    if as_json:
        answer_json(letter.to_json())
        return
    out.print(f"[bold]{plain(letter.type or 'no event')}[/] {plain(letter.reason)}")
    if letter.fault:
        out.print(f"[red]its body is no event of ours:[/] {plain(letter.fault)}")
    table("attributes", ("name", "value"), sorted(letter.letter.attributes.items()))
    out.print(plain(letter.pretty), soft_wrap=True)


@app.command()
def redrive(
    context: Context,
    message_ids: Ids = None,
    *,
    why: Why,
    confirm: Confirm = "",
    shop: Shop = "",
    reason: Reason = "",
    wire_type: Type = "",
    body: Annotated[
        Path | None, typer.Option(help="A file with the one letter's new body.")
    ] = None,
    per_second: Annotated[float, typer.Option(min=0.1, help="How many a second.")] = 50.0,
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send letters back to the queue they came from: named ones, those that match, or all.

    Example: comanda dlq redrive orders --reason "no such order" --why "fixed in 4af1"
    """
    if body is not None and len(message_ids or ()) != 1:
        give_up("a body is for exactly one letter, named by its id")
    choice = _choice(message_ids, shop=shop, reason=reason, wire_type=wire_type)
    _confirmed(context, confirm, doing="send back", choice=choice)
    text = None if body is None else body.read_text()

    async def run(queues: Queues, act: Act, notebook: Notebook) -> RedriveReport:
        return await runs.send_back(
            await queues.letters(context),
            choice,
            act=act,
            notebook=notebook,
            most=_ALL,
            body=text,
            pace=per_second,
        )

    with told():
        act = Act(context=context, by=operator(), why=why)
        report = _wait(run(_queues(places), act, _notebook(places, shop)))
    _tell(report, "sent back", as_json=as_json)


@app.command()
def discard(
    context: Context,
    message_ids: Ids = None,
    *,
    why: Why,
    confirm: Confirm = "",
    shop: Shop = "",
    reason: Reason = "",
    wire_type: Type = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete letters for good. Each may be a paid Pix without an order: look first.

    Example: comanda dlq discard orders 1f0c... --why "a test of mine" --confirm orders
    """
    choice = _choice(message_ids, shop=shop, reason=reason, wire_type=wire_type)
    _confirmed(context, confirm, doing="discard", choice=choice)

    async def run(queues: Queues, act: Act, notebook: Notebook) -> RedriveReport:
        letters = await queues.letters(context)
        return await runs.discard(letters, choice, act=act, notebook=notebook, most=_ALL)

    with told():
        act = Act(context=context, by=operator(), why=why)
        report = _wait(run(_queues(places), act, _notebook(places, shop)))
    _tell(report, "discarded", as_json=as_json)


def _queues(places: Path | None) -> Queues:
    found = find_places(places)
    if not found.stage:
        give_up("the file of places names no stage, so the queues' names are unknown")
    return Queues(open_caller(found.sqs), stage=found.stage)


def _notebook(places: Path | None, shop: str) -> Notebook:
    notebook = DoorNotebook(find_places(places), shop=shop)
    if not notebook.shops:
        err.print("no login for such a shop: only the log tells of this, no shop's audit does")
    return notebook


async def _read(queues: Queues, context: str, choice: Choice) -> list[ReadLetter]:
    return await runs.read_letters(await queues.letters(context), choice)


def _show_counts(queues: Queues, *, as_json: bool) -> None:
    states = _wait(queues.states())
    if as_json:
        answer_json([{"context": it.context, "dead": it.dead + it.dead_in_hand} for it in states])
        return
    rows = [(it.context, it.dead + it.dead_in_hand) for it in states]
    table("Dead letters", ("queue", "letters"), rows)


def _choice(ids: list[str] | None, *, shop: str, reason: str, wire_type: str) -> Choice:
    return Choice(shop=shop or None, ids=frozenset(ids or ()), reason=reason, type=wire_type)


def _confirmed(context: str, typed: str, *, doing: str, choice: Choice) -> None:
    """Let somebody type the context's name, or leave."""
    if not typed and os.isatty(0):
        what = f"{len(choice.ids)} letters" if choice.ids else "all letters that match"
        typed = str(typer.prompt(f"To {doing} {what} of {context}, type its name"))
    if typed != context:
        give_up(f"nothing was done: --confirm {context} is needed")


def _tell(report: RedriveReport, verb: str, *, as_json: bool) -> None:
    left = report.refused + len(report.missing)
    if as_json:
        answer_json(
            {
                "done": report.sent,
                "refused": report.refused,
                "undeleted": report.undeleted,
                "missing": sorted(report.missing),
                "kept": report.kept,
                "is_complete": report.is_complete,
            }
        )
    else:
        out.print(f"{report.sent} {verb}, {report.skipped} left alone, {report.refused} refused")
        for message_id, why in report.kept.items():
            out.print(f"  {message_id}: {plain(why)}", soft_wrap=True)
        for message_id in sorted(report.missing):
            out.print(f"  {plain(message_id)}: not found", soft_wrap=True)
        if report.undeleted:
            out.print(f"{report.undeleted} could not be deleted and will come again")
    if left or report.undeleted:
        raise typer.Exit(FOUND)


def _wait(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
