"""Compare: many episodes of several experimenters, over a sweep."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from seedo.errors import UserError
from seedo.lab._cast import RIVALS, Role
from seedo.lab._compare_figure import NARROWEST, USUAL, WIDEST, draw
from seedo.lab._comparison import (
    FEWEST,
    MOST,
    MOST_PLAYERS,
    MOST_VALUES,
    Comparison,
)
from seedo.lab._comparison_run import ComparisonRun
from seedo.lab._comparisons import Comparisons
from seedo.lab._lab import Lab, Page, TheLab, Visitor, service
from seedo.lab._scenario import MOST_TEXT, Scenario, decode, encode
from seedo.lab._warm import FIRST
from seedo.lab._worlds import shown_as

_SPEAKS = "it speaks, which is too slow for this many episodes: use `seedo perform`"
_ESTIMATES = (
    "mean_return",
    "return_ratio",
    "bayes_ratio",
    "random_return",
    "random_ratio",
    "oracle_return",
)

Name = Annotated[str, Field(min_length=1, max_length=300)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Code = Annotated[str, Query(max_length=MOST_TEXT)]


class Asked(BaseModel):
    """What to compare.

    Attributes:
        scenario: as in a link; "": world dag as it comes.
        sweep: the setting that varies; "": none.
        values: of that setting.
    """

    model_config = ConfigDict(extra="forbid")

    scenario: Annotated[str, Field(max_length=MOST_TEXT)] = ""
    players: Annotated[list[Name], Field(min_length=1, max_length=MOST_PLAYERS)]
    episodes: Annotated[int, Field(ge=FEWEST, le=MOST)] = 1000
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    sweep: Annotated[str, Field(max_length=40)] = ""
    values: Annotated[list[Number], Field(max_length=MOST_VALUES)] = []


routes = APIRouter()

Kept = Annotated[Comparisons, service(Comparisons)]


def _own(visitor: Visitor, kept: Kept, name: str) -> ComparisonRun:
    return kept.get(name, visitor)


Own = Annotated[ComparisonRun, Depends(_own)]


@routes.get("/compare", include_in_schema=False)
def compare(page: Page, visitor: Visitor, kept: Kept, s: Code = "", id: str = "") -> Response:
    run = kept.get(id, visitor) if id else None
    scenario = run.comparison.scenario if run else _scenario(s)
    shown = shown_as(scenario.world)
    sweeps = {
        name: sweep._asdict()
        for name, sweep in shown.sweeps.items()
        if sweep.drawn or scenario.drawn is None
    }
    about = {
        "code": encode(scenario),
        "about": shown.compared(scenario),
        "sweeps": sweeps,
        "usual": list(RIVALS),
        "fewest": FEWEST,
        "most": MOST,
        "mostPlayers": MOST_PLAYERS,
        "narrowest": NARROWEST,
        "widest": WIDEST,
        "seed": scenario.seed,
        "asked": run.comparison.to_json() if run else None,
        "run": kept.shown(run) if run else None,
    }
    return page("compare.html", title="Compare", data=about)


@routes.get("/api/compare/cast")
def offered(lab: TheLab, kept: Kept, s: Code = "") -> dict[str, Any]:
    """Who can act in a scenario; the first time, networks are loaded."""
    scenario = _scenario(s)
    roles = _roles(lab, scenario)
    able = [role.name for role in roles if role.name in RIVALS and not role.why_not]
    if lab.settings.warm and able:
        kept.prepare(scenario, tuple(able))
    return {"roles": [role.to_json() for role in roles]}


@routes.get("/api/compare")
def mine(visitor: Visitor, kept: Kept) -> dict[str, Any]:
    """The visitor's comparisons, the newest first."""
    return {"comparisons": [run.summary() for run in kept.of(visitor)]}


@routes.post("/api/compare")
def start(lab: TheLab, visitor: Visitor, kept: Kept, asked: Asked) -> dict[str, Any]:
    """Begin a comparison, or queue it."""
    comparison = Comparison(
        _scenario(asked.scenario),
        tuple(asked.players),
        asked.episodes,
        asked.seed,
        asked.sweep,
        tuple(asked.values),
    )
    known = {role.name: role for role in _roles(lab, comparison.scenario)}
    for name in comparison.players:
        if name not in known:
            raise UserError("players", name, "not in the cast of this lab")
        if known[name].kind == "language":
            raise UserError("players", name, _SPEAKS)
    return kept.shown(kept.add(comparison, visitor))


@routes.get("/api/compare/{name}")
def progress(kept: Kept, run: Own) -> dict[str, Any]:
    """Results so far, rates and time left."""
    return kept.shown(run)


@routes.post("/api/compare/{name}/cancel")
def cancel(kept: Kept, run: Own) -> dict[str, Any]:
    """Stop; finished cells stay."""
    run.cancel()
    return kept.shown(run)


@routes.post("/api/compare/{name}/continue")
def go_on(kept: Kept, run: Own) -> dict[str, Any]:
    """Go on with one that was cancelled or failed."""
    kept.go_on(run)
    return kept.shown(run)


@routes.delete("/api/compare/{name}")
def delete(kept: Kept, run: Own) -> dict[str, Any]:
    """Remove it with its files."""
    kept.delete(run)
    return {}


@routes.get("/api/compare/{name}/figure.svg")
def as_svg(
    run: Own,
    dark: bool = False,
    width: Annotated[int, Query(ge=NARROWEST, le=WIDEST)] = USUAL,
    download: bool = False,
) -> Response:
    """The figure."""
    drawn = draw(run.results(), dark, width)
    return _file(drawn, "image/svg+xml", f"compare-{run.name}.svg" if download else "")


@routes.get("/api/compare/{name}/figure.png")
def as_png(run: Own, dark: bool = False) -> Response:
    """The figure, 200 dots an inch."""
    return _file(draw(run.results(), dark, form="png"), "image/png", f"compare-{run.name}.png")


@routes.get("/api/compare/{name}/data.csv")
def as_csv(run: Own) -> Response:
    """One row a cell."""
    table = _table(run.results())
    return _file(table.encode(), "text/csv; charset=utf-8", f"compare-{run.name}.csv")


@routes.get("/api/compare/{name}/data.json")
def as_json(run: Own) -> Response:
    """What was compared and what came out."""
    text = json.dumps(run.results(), indent=1, sort_keys=True, allow_nan=False)
    return _file(text.encode(), "application/json", f"compare-{run.name}.json")


@routes.get("/api/compare/{name}/logs/{index}.zip")
def logs(run: Own, index: int) -> Response:
    """The episodes of a finished cell: a run folder for `seedo review`."""
    folder = run.run_folder(index)
    if folder is None or not folder.is_dir():
        raise HTTPException(404, "no episodes yet: this cell is not finished")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:  # Parquet is compressed already
        for path in sorted(folder.iterdir()):
            archive.write(path, f"{folder.name}/{path.name}")
    return _file(packed.getvalue(), "application/zip", f"{folder.name}.zip")


def _scenario(code: str) -> Scenario:
    return decode(code) if code else FIRST


def _roles(lab: Lab, scenario: Scenario) -> list[Role]:
    return [
        replace(role, why_not=_SPEAKS) if role.kind == "language" else role
        for role in lab.cast(scenario)
    ]


def _table(results: dict[str, Any]) -> str:
    """The cells as CSV; an empty field: unknown."""
    out = io.StringIO()
    field = results["sweep"] or "sweep"
    columns = [f"{name}{end}" for name in _ESTIMATES for end in ("", "_low", "_high")]
    rows = csv.writer(out)
    rows.writerow([field, "player", "episodes", "seed", *columns, "reason"])
    for cell in results["cells"]:
        row = ["" if cell["value"] is None else cell["value"], cell["player"], cell.get("n", 0)]
        row.append(results["seed"])
        for name in _ESTIMATES:
            estimate = cell.get(name, {})
            row += [_plain(estimate.get(end)) for end in ("value", "low", "high")]
        rows.writerow([*row, cell.get("reason", "")])
    return out.getvalue()


def _plain(number: float | None) -> str:
    return "" if number is None else repr(number)


def _file(data: bytes, kind: str, name: str) -> Response:
    """Bytes to show, or with a name to save."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'} if name else {}
    return Response(data, media_type=kind, headers=headers)
