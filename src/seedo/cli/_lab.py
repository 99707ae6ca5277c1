"""The verb lab: the web lab, and the data of studies run in it."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, cast, get_args

import typer
from rich.box import SIMPLE
from rich.table import Table

from seedo.cli._commands import app
from seedo.cli._console import Count, notes, print_table, say
from seedo.cli._options import AsJson
from seedo.errors import UserError, one_of, whole

lab_app = typer.Typer(
    help="A lab in the browser, for one or for studies with people.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
app.add_typer(lab_app, name="lab")

StudyFile = Annotated[Path, typer.Argument(help="The study's file (TOML).", show_default=False)]
Data = Annotated[Path, typer.Option(help="The lab's folder.")]
Database = Annotated[str | None, typer.Option(help="The lab's --database, if it has one.")]


@lab_app.callback()
def lab(
    context: typer.Context,
    data: Annotated[
        Path, typer.Option(help="Folder for games, challenges and responses; made if missing.")
    ] = Path("lab"),
    logs: Annotated[
        list[Path] | None, typer.Option(help="Folder whose logs may be looked at (default: here).")
    ] = None,
    agent: Annotated[
        list[str] | None, typer.Option(help="An agent folder that joins the cast.")
    ] = None,
    abstraction: Annotated[
        list[Path] | None, typer.Option(help="What raw worlds may be watched through.")
    ] = None,
    llm: Annotated[
        list[str] | None,
        typer.Option(help="A language model that joins the cast, as Inspect names it."),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="The same as a player: llm:NAME or hf:FOLDER.")
    ] = None,
    study: Annotated[
        Path | None, typer.Option(help="A study file (TOML) for human participants.")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(help="URL of the responses, e.g. postgresql+psycopg://...; default SQLite."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than loopback need --token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any free one.")] = 8787,
    token: Annotated[
        str | None,
        typer.Option(envvar="SEEDO_LAB_TOKEN", help="What a researcher's browser must show."),
    ] = None,
    public: Annotated[
        str | None,
        typer.Option(help="Address of a proxy in front of it, e.g. https://lab.example.org."),
    ] = None,
    frame: Annotated[
        list[str] | None,
        typer.Option(help="Origin of a page that may show the lab in a frame."),
    ] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(help="Address or network of a proxy that is believed; repeat it."),
    ] = None,
    proxy_header: Annotated[
        str, typer.Option(help="Its header that says who visits.")
    ] = "X-Forwarded-For",
    browse: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Start the lab on this machine and open a browser."""
    if context.invoked_subcommand is not None:
        return
    web = _web()
    settings = web.LabSettings(
        data=data,
        logs=tuple(logs or [Path()]),
        agents=tuple(agent or ()),
        abstractions=tuple(map(str, abstraction or ())),
        models=(*(f"llm:{name}" for name in llm or ()), *map(_speaker, model or ())),
        study=study,
        database=database,
        host=host,
        port=port,
        token=token,
        public=public,
        frames=tuple(frame or ()),
        proxy=tuple(proxy or ()),
        proxy_header=proxy_header,
    )

    def say_so(line: str) -> None:  # no markup: [fe80::1] is an address
        notes.print(line, markup=False, highlight=False, soft_wrap=True)

    web.serve(settings, browse, say_so)


def _speaker(name: str) -> str:
    if not re.fullmatch(r"(llm|hf):.+", name):
        raise UserError("model", name, "use llm:NAME or hf:FOLDER")
    if name.startswith("hf:"):
        from seedo.language.hub import hub_folder

        hub_folder(name)  # refused now, not by the first who plays against it
    return name


@lab_app.command("new-study")
def new_study(
    file: Annotated[Path, typer.Argument(help="The file to write.", show_default=False)],
    kind: Annotated[str, typer.Option(help="The world: dag, blicket or rooms.")] = "dag",
) -> None:
    """Write an example of a study, with a comment on every setting, to start from."""
    _web()
    from seedo.lab.study import EXAMPLES

    one_of("kind", kind, tuple(EXAMPLES))
    text = EXAMPLES[kind].read_text("utf-8").replace("study-example.toml", file.name)
    slug = re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-")[:40]
    own = tomllib.loads(text)["name"]
    text = text.replace(own, slug or "my-study")
    try:
        with open(file, "x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError as error:
        raise UserError("file", str(file), "already there: choose another name") from error
    except OSError as error:
        raise UserError("file", str(file), f"cannot be written: {error.strerror}") from error
    notes.print(f"{file}: edit it, then seedo lab check-study {file}", highlight=False)


@lab_app.command("check-study")
def check_study(file: StudyFile, as_json: AsJson = False) -> None:
    """Read a study and say what it amounts to, or what is wrong with it."""
    _web()
    from seedo.lab.study import StudyConfig, summary

    found = summary(StudyConfig.load(file))
    if as_json:
        print(json.dumps(found.to_json()))
        return
    print("\n".join(found.lines()))


@lab_app.command("texts")
def texts(
    file: StudyFile,
    language: Annotated[str, typer.Option(help="The language to write, like fr or pt-BR.")],
) -> None:
    """Print every sentence that a study lacks in a language, to translate and add to its file."""
    _web()
    from seedo.lab.study import StudyConfig, tag, template

    config, spoken = StudyConfig.to_translate(file)
    lacking = template(spoken, tag("language", language), config.own_texts)
    print(lacking, end="")
    if not lacking:
        notes.print(f"nothing is lacking in '{language}'", highlight=False, markup=False)


@lab_app.command("pilot")
def pilot(file: StudyFile, as_json: AsJson = False) -> None:
    """Let scripted participants do a study: what scores to expect, what it can find."""
    _web()
    from seedo.lab.study import StudyConfig
    from seedo.lab.study import pilot as try_out

    found = try_out(StudyConfig.load(file))
    say(as_json, found.to_json(), "\n".join(found.lines()))


@lab_app.command("preregister")
def preregister(
    file: StudyFile,
    out: Annotated[Path, typer.Option(help="The text to write (Markdown).")],
    as_json: AsJson = False,
) -> None:
    """Write a preregistration as far as the design decides it, the pilot included."""
    _web()
    from seedo.lab.study import StudyConfig, preregistration
    from seedo.lab.study import pilot as try_out

    config = StudyConfig.load(file)
    _write_new(out, preregistration(config, try_out(config)))
    say(as_json, {"path": str(out)}, f"{out}: fill in what stands in square brackets")


@lab_app.command("participants")
def participants(
    file: StudyFile,
    data: Data = Path("lab"),
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List who takes part, how far they are, and the codes they were given at the end."""
    _web()
    from seedo.lab.study import kept, pseudonym

    store, config = kept(file, data, database)
    rows = []
    for person in store.participants():
        steps = [row for row in store.steps(person.id) if row.task >= 0]
        rows.append(
            {
                "participant": pseudonym(person),
                "number": person.number,
                "condition": person.condition,
                "state": person.state,
                "responses": len(steps),
                "attention_passed": person.attention_passed,
                "since": person.consented_at,
                "end_code": person.end_code if person.state == "finished" else None,
            }
        )
    if as_json:
        print(json.dumps({"study": config.name, "participants": rows}))
        return
    made = Table(box=SIMPLE, title=f"{config.name}: {len(rows)} participants", title_justify="left")
    for name in ("participant", "condition", "state", "responses", "attention", "since", "code"):
        made.add_column(name)
    for row in rows:
        passed = {None: "–", 0: "failed", 1: "passed"}[row["attention_passed"]]  # type: ignore[index]
        made.add_row(
            str(row["participant"]),
            str(row["condition"]).replace("[", r"\["),
            str(row["state"]),
            str(row["responses"]),
            passed,
            str(row["since"])[:16],
            str(row["end_code"] or "–"),
        )
    print_table(made)


@lab_app.command("export")
def export(
    file: StudyFile,
    out: Annotated[Path, typer.Option(help="Folder to write; must not be there yet.")],
    data: Data = Path("lab"),
    database: Database = None,
    practice: Annotated[bool, typer.Option("--practice", help="Practice tasks too.")] = False,
    only: Annotated[str, typer.Option(help="everybody, finished or unfinished.")] = "everybody",
    psych_ds: Annotated[
        bool, typer.Option("--psych-ds", help="Tables in Psych-DS, with a data dictionary.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the responses as run folders, to review beside agents, and as CSV tables."""
    _web()
    from seedo.episodes import Dataset
    from seedo.lab.study import Whose, kept
    from seedo.lab.study import export as write

    one_of("--only", only, get_args(Whose))
    store, config = kept(file, data, database)
    with Count("export", "participants") as progress:
        runs = write(store, config, out, practice, progress, cast(Whose, only), psych_ds)
    episodes = {str(run): Dataset(run).rows for run in runs}
    found: dict[str, Any] = {"path": str(out), "runs": episodes}
    said = f"{sum(episodes.values()):,} finished tasks in {out}"
    if runs:
        said += f"; compare them: seedo review {shlex.quote(str(out))}/runs/* runs/AGENT"
    say(as_json, found, said)


@lab_app.command("delete")
def delete(
    file: StudyFile,
    participant: Annotated[
        list[int] | None, typer.Option(help="A participant's number; repeat it.")
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="All participants.")] = False,
    data: Data = Path("lab"),
    database: Database = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete everything that is stored of participants, for good."""
    _web()
    from seedo.lab.study import erase, kept, kept_pay

    if everyone == bool(participant):
        raise UserError("delete", None, "give --participant NUMBER, or --all")
    store, config = kept(file, data, database)
    people = {person.number: person for person in store.participants()}
    for number in participant or []:
        if number not in people:
            raise UserError("--participant", number, "there is no such participant")
    numbers = sorted(people) if everyone else sorted(set(participant or []))
    which = f"all {len(numbers)} participants" if everyone else ", ".join(map(str, numbers))
    if not yes:
        if not sys.stdin.isatty():
            raise UserError("--yes", None, "they would be gone for good: add --yes")
        if not typer.confirm(f"Delete everything of {which} of {config.name}?"):
            notes.print("nothing deleted")
            return
    doomed = [people[number] for number in numbers]
    if any(person.person_hash for person in doomed):  # someone may stand in the pay list
        erase(store, kept_pay(file, data), doomed)
    else:
        store.delete(*(person.id for person in doomed))
    say(as_json, {"deleted": numbers}, f"deleted: {len(numbers)} participants of {config.name}")


@lab_app.command("pay")
def pay(
    file: StudyFile,
    out: Annotated[Path, typer.Option(help="The list to write: people, codes, scores (CSV).")],
    bonuses: Annotated[
        Path | None, typer.Option("--bonus", help="Write person,amount too, as Prolific reads it.")
    ] = None,
    data: Data = Path("lab"),
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write whom to pay what, under the names that their platform gave them."""
    _web()
    from seedo.lab.study import bonus_table, due, kept, kept_pay, pay_table

    store, config = kept(file, data, database)
    listed = due(store, config, kept_pay(file, data))
    if not listed:
        raise UserError("study", config.name, "nobody came by a link that says who they are")
    _write_new(out, pay_table(listed))
    if bonuses:
        _write_new(bonuses, bonus_table(listed))
    total = round(sum(each.bonus for each in listed), 2)
    found = {"people": len(listed), "bonus": total, "path": str(out)}
    say(as_json, found, f"{len(listed)} people in {out}; bonuses: {total:.2f}")


@lab_app.command("links")
def links(
    file: StudyFile,
    out: Annotated[Path, typer.Option(help="The file to write (CSV).")],
    number: Annotated[int, typer.Option(help="How many.")],
    address: Annotated[str, typer.Option(help="Of the lab, e.g. https://lab.example.org.")],
    first: Annotated[int, typer.Option(help="Number of the first one.")] = 1,
    data: Data = Path("lab"),
    as_json: AsJson = False,
) -> None:
    """Write one-time links, each of which lets one person in."""
    _web()
    from seedo.lab.study import StudyConfig, kept_keys, one_time_links

    whole("--number", number, 1, 1_000_000)
    whole("--first", first, 1, 1_000_000)
    config = StudyConfig.load(file)
    if config.recruit is None or config.recruit.platform != "links":
        raise UserError("recruit.platform", None, 'set it to "links" in the study\'s file')
    page = f"{address.rstrip('/')}/take/{config.name}"
    _write_new(out, one_time_links(config, kept_keys(data), page, first, number))
    say(as_json, {"links": number, "path": str(out)}, f"{number} links in {out}")


def _write_new(path: Path, text: str) -> None:
    """Write a file that only this user can read, unless it is there."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UserError("out", str(path), "already there: choose another name") from error
    except OSError as error:
        raise UserError("out", str(path), f"cannot be written: {error.strerror}") from error


def _web() -> ModuleType:
    """The lab's package, if what it needs is installed."""
    try:
        from seedo import lab as package
    except ModuleNotFoundError as error:
        missing = 'install it: pip install "seedo[web]"'
        raise UserError("lab", error.name, f"it needs the extra web; {missing}") from error
    return package
