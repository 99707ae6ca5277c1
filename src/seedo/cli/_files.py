"""Commands about files: what is in a log, logs from your own files, logs for others' trainers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from seedo.cli._commands import command
from seedo.cli._console import Count, notes, print_table, say
from seedo.cli._options import AsJson, ReadingOptions, Resume, check_folders
from seedo.errors import UserError
from seedo.storage import Place, local_path


@command("inspect")
def inspect(
    logs: Annotated[
        Place, typer.Argument(help="Dataset, run or abstraction, or a table; s3:// and so on.")
    ],
    reading: ReadingOptions,
    write_roles: Annotated[
        bool, typer.Option("--write-roles", help="Write how columns are read to FILE.roles.csv.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what a dataset holds and if it is whole; how a table is read."""
    from seedo import tables

    called = logs.name.lower().endswith(tables.SUFFIXES) and not logs.is_dir()
    if called or (isinstance(logs, Path) and logs.is_file() and logs.name != "manifest.json"):
        _inspect_table(local_path("table", logs), reading, write_roles, as_json)
        return
    if write_roles:
        raise UserError("--write-roles", str(logs), "only for tables: a log says itself")
    if isinstance(logs, Path) and _is_abstraction(logs):
        _inspect_abstraction(logs, as_json)
        return
    from seedo import episodes

    found = episodes.summary(episodes.Dataset(logs))
    if as_json:
        print(json.dumps(found, sort_keys=True))
        return
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, text in _facts(found):
        facts.add_row(name, text)
    print_table(facts)
    print_table(_variables(found))
    for file, place in found["links"].items():
        notes.print(f"{file} is a link: it lies in {place}", style="yellow", highlight=False)
    for line in found["damage"]:
        notes.print(f"damaged: {line}", style="yellow", highlight=False)


_ABOUT = "abstraction.json"
"""What is in the folder of an abstraction, and in no other."""


def _is_abstraction(folder: Path) -> bool:
    return (folder / _ABOUT).is_file() and not (folder / "manifest.json").is_file()


def _inspect_abstraction(folder: Path, as_json: bool) -> None:
    from seedo import abstraction, reports

    found, about = abstraction.read_abstraction(folder)
    if as_json:
        print(json.dumps(found.to_json() | about, sort_keys=True))
        return
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("abstraction", str(folder))
    facts.add_row("learnt from", abstraction.learnt_from(about))
    facts.add_row("SHA-256", about["sha256"])
    print_table(facts)
    print_table(reports.abstraction_table(found))
    for line in reports.abstraction_lines(found):
        print(line)


def _inspect_table(path: Path, how: ReadingOptions, write: bool, as_json: bool) -> None:
    from seedo import tables

    table, warnings = tables.read_table(path, reading=how.reading([path]))
    columns = (*table.columns, *table.others)
    file = tables.roles_path(path)
    if write:
        try:
            file.write_text(tables.roles_text(columns), encoding="utf-8")
        except OSError as error:
            raise UserError(str(file), None, f"cannot be written: {error.strerror}") from None
    if as_json:
        found = {"rows": table.rows, "columns": [asdict(column) for column in columns],
                 "warnings": warnings, "roles": str(file) if write else None}  # fmt: skip
        print(json.dumps(found, sort_keys=True))
        return
    shown = Table(title=f"{path}: {table.rows:,} rows", title_justify="left")
    for name in ("column", "type", "role", "unit", "missing", "levels"):
        shown.add_column(name, overflow="fold")
    for column in columns:
        levels = ", ".join(column.levels[:8]) + (", ..." if len(column.levels) > 8 else "")
        shown.add_row(column.name, column.type, column.role, column.unit,
                      f"{column.missing:,}" if column.missing else "", levels)  # fmt: skip
    print_table(shown)
    for line in warnings:
        notes.print(line, style="yellow", highlight=False, markup=False, soft_wrap=True)
    if write:
        line = f"{file} says so: edit it; it is used whenever {path.name} is read"
        notes.print(line, highlight=False, markup=False, soft_wrap=True)


def _facts(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and texts of what is said about a dataset as a whole."""
    yield "log", str(found["path"])
    whole = "complete" if found["complete"] else "not complete: go on with --resume"
    if found["damage"]:
        whole = f"{len(found['damage'])} damaged"
    yield "episodes", f"{found['rows']:,} in {found['shards']} shards, {whole}"
    if found["readable_rows"] != found["rows"]:
        yield "readable", f"{found['readable_rows']:,}; what follows is about these"
    yield "size", f"{found['bytes']:,} bytes, {found['bytes_per_episode']:,} an episode"
    config = json.loads(found["world_config"])
    settings = ", ".join(f"{k}={json.dumps(v)}" for k, v in config.items() if v is not None)
    yield "world", found["world"] + (f" ({settings})" if settings else "")
    yield "split", found["split"]
    source = f", {found['provenance']}" if found["provenance"] else ""
    yield "experimenter", found["experimenter"] + source
    if found["created"]:
        yield "created", found["created"]
    yield "seeds", ", ".join(map(str, found["seeds"]))
    if found["cpu_types"]:
        yield "processors", "; ".join(found["cpu_types"])
    phases = (f"{count:g} {phase}" for phase, count in found["steps_by_phase"].items() if count)
    yield "steps", f"{found['steps']} ({', '.join(phases)})"
    explored = f"{found['distinct_targets']:.2f} of {found['relevant']:.2f} relevant variables"
    if found["several_at_once"]:
        explored += f"; several at once in {found['several_at_once']:.0%} of all steps"
    yield "tested", explored
    yield "set to", ", ".join(map(_bar, found["do_values"])) or "nothing was set"
    if found["returns"] is not None:
        known = {"omniscient": found["oracle_return"], "random": found["random_return"]}
        known |= {"ratio": found["return_ratio"]}
        others = ", ".join(f"{k} {v:.3f}" for k, v in known.items() if v is not None)
        yield "return", f"{found['returns']:.3f}" + (f" ({others})" if others else "")
    if found["optional"]:
        yield "also", ", ".join(found["optional"])


def _bar(bar: dict[str, float]) -> str:
    place = f"{bar['value']:g}" if "value" in bar else f"{bar['from']:g} to {bar['to']:g}"
    return f"{place} ({bar['count']:,} times)"


def _variables(found: dict[str, Any]) -> Table:
    """One row a variable: its type, its values' names and in which share of steps it was set."""
    table = Table(title="Share of steps in which each was set", title_justify="left")
    columns: dict[str, list[str]] = {"variable": [*found["variables"], "none"]}
    if found["types"]:
        columns["type"] = [*found["types"], ""]
        levels = found["levels"] or [[]] * found["n"]
        columns["levels"] = [*(", ".join(names) for names in levels), ""]
    for phase, shares in found["target_frequency"].items():
        each = (shares.get(name, 0) for name in columns["variable"])
        columns[phase] = [f"{share:.1%}" if share else "–" for share in each]
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in zip(*columns.values(), strict=True):
        table.add_row(*row)
    return table


@command("import")
def import_(
    files: Annotated[
        list[Path], typer.Argument(help="Your file, one row a step; see docs/logs.md.")
    ],
    out: Annotated[Place, typer.Option(help="Dataset to write: a folder, s3://, gs:// or az://.")],
    form: Annotated[
        str | None,
        typer.Option("--format", help="A published study: acl, chip or blicket; docs/people.md."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="With --format: hides people's names (default OUT.key).")
    ] = None,
    experimenter: Annotated[str, typer.Option(help="Who acted.")] = "unknown",
    factors: Annotated[
        list[str] | None,
        typer.Option("--set", help="A variable that was set in every row that has its value."),
    ] = None,
    goal: Annotated[str | None, typer.Option(help="The variable to raise in every step.")] = None,
    phase: Annotated[
        str | None, typer.Option(help="Of every step: observe, explore or exploit.")
    ] = None,
    drop: Annotated[list[str] | None, typer.Option(help="A column that is no variable.")] = None,
    by_length: Annotated[
        bool, typer.Option("--by-length", help="A dataset for each number of steps, below OUT.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Turn your own logs, or people's published ones, into a dataset."""
    layout = (tuple(factors or ()), goal, phase, tuple(drop or ()))
    if form is not None:
        if any(layout) or by_length or experimenter != "unknown":
            remedy = "says itself what its files hold: leave the other options out"
            raise UserError("--format", form, remedy)
        _import_people(form, files, out, key, as_json)
        return
    if len(files) > 1:
        raise UserError("files", str(files[1]), "give one file, or --format of several")
    if key is not None:
        raise UserError("--key", str(key), "hides the names of people: only with --format")
    from seedo import episodes

    log = episodes.OwnLog(files[0], episodes.Layout(*layout))
    lengths = sorted(set(log.lengths.tolist())) if by_length else [None]
    written = []
    for steps in lengths:
        batch = log.batch(steps, experimenter=experimenter)
        folder = out if steps is None else out / f"steps-{steps}"
        episodes.write_batch(folder, batch, shard_rows=max(1, -(-batch.rows // 20)))
        written.append({"path": str(folder), "episodes": batch.rows, "steps": batch.steps})
    if as_json:
        kinds = {"variables": batch.origin.variables, "types": batch.origin.types,
                 "levels": batch.origin.levels}  # fmt: skip
        print(json.dumps({"datasets": written, **kinds, "warnings": log.warnings}, sort_keys=True))
        return
    for line in log.warnings:
        notes.print(line, style="yellow", highlight=False)
    for name, levels in zip(log.variables, log.levels, strict=True):
        if levels is not None:
            notes.print(f"{name} is categorical: {', '.join(levels)}", highlight=False)
    for one in written:
        count = f"{one['episodes']:,} episode{'s' * (one['episodes'] != 1)}"
        notes.print(f"{count} ({one['steps']} steps) in {one['path']}", highlight=False)
        if one["episodes"] == 1:
            notes.print("one episode: there is enough to ask, but learn needs two or more (it "
                        "holds some out)", style="yellow")  # fmt: skip


def _import_people(
    form: str, files: list[Path], out: Place, key: Path | None, as_json: bool
) -> None:
    from seedo import episodes
    from seedo.people.files import Pseudonyms, batches, read_trials

    if isinstance(out, Path):
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UserError("--out", str(out), "there is something already: name a new folder")
        key = key or out.with_name(f"{out.name}.key")
    if key is None:
        raise UserError("--key", None, "a key stays on this machine: name a file for it")
    known = key.exists()
    try:
        trials = read_trials(form, files, Pseudonyms(key))
    except UserError:
        if not known:  # a key without a log is of no use to anybody
            key.unlink(missing_ok=True)
        raise
    created = datetime.now(UTC).isoformat(timespec="seconds")
    written = []
    for name, batch in batches(trials, form, created):
        episodes.write_batch(out / name, batch, shard_rows=max(1, -(-batch.rows // 20)))
        people = len(set(batch.participant or ()))
        written.append({"path": str(out / name), "people": people, "episodes": batch.rows,
                        "steps": batch.steps})  # fmt: skip
    if as_json:
        found = {"datasets": written, "people": len({t.person for t in trials}), "key": str(key)}
        print(json.dumps(found, sort_keys=True))
        return
    for one in written:
        line = f"{one['people']} people, {one['episodes']:,} episodes of {one['steps']} in "
        notes.print(line + str(one["path"]), highlight=False, soft_wrap=True)
    line = f"names are hidden under {key}: keep it from those who get the log, or delete it"
    notes.print(line, highlight=False, markup=False, soft_wrap=True)


@command("export")
def export(
    logs: Annotated[
        list[Place],
        typer.Argument(help="Datasets: folders, or s3://, gs://, az://.", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    form: Annotated[
        str,
        typer.Option("--as", help="chat (an episode a row), completion (an action a row), tools."),
    ] = "chat",
    kind: Annotated[str, typer.Option("--format", help="jsonl or parquet.")] = "jsonl",
    episodes: Annotated[int | None, typer.Option(help="The first so many (default all).")] = None,
    slips: Annotated[
        float,
        typer.Option(help="Share of the actions that are miswritten first, and put right."),
    ] = 0.0,
    prompt: Annotated[
        list[str] | None, typer.Option(help="A switch of the prompt, e.g. names=letters.")
    ] = None,
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Put logs into words to train language models on."""
    check_folders("logs", logs)
    from seedo import language

    conditions = language.read_conditions(prompt or [])
    with Count("exporting") as progress:
        done = language.export(
            logs, out, form, kind, conditions, episodes, slips, resume=resume, progress=progress
        )
    without = f" ({done.left_out:,} left out: they have no words)" if done.left_out else ""
    say(
        as_json,
        {"path": str(out), "episodes": done.episodes, "rows": done.rows, "left_out": done.left_out},
        f"{done.episodes:,} episodes in {done.rows:,} rows{without}; {out}/README.md says how to "
        "train on them",
    )
