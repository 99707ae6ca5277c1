"""Proposals as a file to be filled in, and results from one."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seedo.errors import UserError
from seedo.play.campaign._campaign import Campaign, Proposal
from seedo.play.campaign._person import as_number
from seedo.tables import MISSING, near, read_columns

_STATES = {"failed": "failed", "skip": "skipped", "skipped": "skipped"}
_DONE = ("", "done", "ok", "waits")


def proposals_json(campaign: Campaign, proposals: Sequence[Proposal]) -> dict[str, Any]:
    """Proposals as plain JSON: `record` reads it when readings are filled in."""
    empty = dict.fromkeys(campaign.plan.names)
    return {
        "campaign": campaign.plan.name,
        "finished": campaign.finish(),
        "runs": [
            {"run": p.run, "setting": p.setting, "again": p.again, "readings": dict(empty)}
            for p in proposals
        ],
    }


def proposals_csv(campaign: Campaign, proposals: Sequence[Proposal]) -> str:
    """Proposals as a table with empty columns for what is read, and `state` for failed or skip."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    knobs, names = campaign.plan.space.names, campaign.plan.names
    number, state = campaign.plan.column("run"), campaign.plan.column("state")
    writer.writerow([number, *knobs, *names, state])
    for proposal in proposals:
        cells = [proposal.setting[knob] for knob in knobs]
        writer.writerow([proposal.run, *cells, *[""] * len(names), ""])
    return text.getvalue()


def record(campaign: Campaign, path: Path) -> list[str]:
    """Results of runs from a table or JSON file made by the above.

    Runs without a reading or state still wait; knobs that differ from what was proposed were set
    so.

    Returns:
        What was done, one line each.

    Raises:
        UserError: the file cannot be read, or a run has a result already; the results before it
            are kept.
    """
    rows = _from_json(path) if path.suffix.lower() == ".json" else _from_table(path, campaign)
    known = {run.number for run in campaign.runs}
    told = []
    for row in rows:  # all is read before anything is written
        if row["run"] not in known:
            raise UserError(f"{path}: run", row["run"], "it was never proposed: see --propose")
    for row in rows:
        number, read = row["run"], row["readings"]
        run = campaign.runs[number]
        if run.state != "waits":
            if row["ended"] not in ("", run.state) or _differs(campaign, number, read):
                remedy = "it has another result already, which stays as it is"
                raise UserError(f"{path}: run", number, remedy)
            told.append(f"run {number}: has this result already")
        elif row["ended"]:
            changed = _changed(campaign, number, row["setting"])
            campaign.tell(number, setting=changed, **{row["ended"]: row["why"]})
            told.append(f"run {number}: {row['ended']}")
        elif any(value is not None for value in read.values()):
            campaign.tell(number, read, setting=_changed(campaign, number, row["setting"]))
            told.append(f"run {number}: recorded")
        else:
            told.append(f"run {number}: nothing was read, it still waits")
    return told


def _differs(campaign: Campaign, number: int, read: Mapping[str, float | None]) -> bool:
    before = dict(zip(campaign.plan.names, campaign.runs[number].readings.tolist(), strict=True))
    return any(value is not None and value != before[name] for name, value in read.items())


def _changed(
    campaign: Campaign, number: int, setting: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Knobs of a run that were set to something else than was proposed."""
    proposed = campaign.setting(campaign.runs[number])
    changed = {}
    for name, value in (setting or {}).items():
        before = proposed.get(name)
        same = (
            isinstance(value, int | float)
            and isinstance(before, int | float)
            and abs(value - before) <= 1e-9 * max(1.0, abs(before))
        )
        if not same and value != before:
            changed[name] = value
    return changed or None


def _from_json(path: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UserError(str(path), None, f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(str(path), None, f"it is no JSON: {error}") from None
    rows = found.get("runs") if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError(str(path), None, 'give {"runs": [{"run": 0, "readings": {…}}]}')
    return [_row_of_json(path, row) for row in rows]


def _row_of_json(path: Path, row: Mapping[str, Any]) -> dict[str, Any]:
    number, read = row.get("run"), row.get("readings") or {}
    if not isinstance(number, int) or isinstance(number, bool):
        raise UserError(f"{path}: run", number, "give the number that was proposed")
    setting = row.get("setting")
    for field, value in (("readings", read), ("setting", setting or {})):
        if not isinstance(value, dict):
            raise UserError(f"{path}: {field} of run {number}", value, "give an object")
    ended = next((s for s in ("failed", "skipped") if row.get(s)), "")
    why = str(row[ended]) if ended and row[ended] is not True else ended
    return {"run": number, "readings": read, "setting": setting, "ended": ended, "why": why}


def _from_table(path: Path, campaign: Campaign) -> list[dict[str, Any]]:
    table = read_columns(path)
    columns = list(table.arrays)
    number = campaign.plan.column("run")
    if number not in columns:
        raise UserError(f"{path}: column", number, near(number, columns))
    if not set(campaign.plan.names) & set(columns):
        remedy = f"give columns {', '.join(campaign.plan.names)}"
        raise UserError(f"{path}: readings", None, remedy)
    cells = {name: table.text(name).to_pylist() for name in columns}
    return [
        _row_of_table({name: of[row] or "" for name, of in cells.items()}, campaign,
                      lambda name, row=row: table.place(row, name))
        for row in range(table.rows)
    ]  # fmt: skip


def _row_of_table(cells: Mapping[str, str], campaign: Campaign, place: Any) -> dict[str, Any]:
    run, column = campaign.plan.column("run"), campaign.plan.column("state")
    number = as_number(cells[run])
    if number is None or not number.is_integer():
        raise UserError(place(run), cells[run], "give the number that was proposed")
    ended, why = "", ""
    state = cells.get(column, "").strip()
    word = state.partition(" ")[0].lower()
    if word in _STATES:
        ended, why = _STATES[word], state.partition(" ")[2] or _STATES[word]
    elif state.lower() not in _DONE:
        raise UserError(place(column), state, "leave it empty, or give failed or skip, and why")
    read: dict[str, float | None] = {}
    for name in campaign.plan.names:
        cell = cells.get(name, "")
        read[name] = None if cell.lower() in MISSING else as_number(cell)
        if cell.lower() in _STATES:
            ended, why = _STATES[cell.lower()], cell.lower()
        elif read[name] is None and cell.lower() not in MISSING:
            raise UserError(place(name), cell, "give a number, or leave it empty")
    setting: dict[str, Any] = {}
    for knob in campaign.plan.space.knobs:
        cell = cells.get(knob.name, "")
        if cell:
            number_of = None if knob.named else as_number(cell)
            setting[knob.name] = cell if number_of is None else number_of
    return {"run": int(number), "readings": read, "setting": setting, "ended": ended, "why": why}
