"""What can be asked of a kept table: each as the command line answers it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from seedo import evaluation, inference, reports
from seedo.lab._background import Job
from seedo.lab.data import _history, _rows
from seedo.lab.data._shelf import Kept
from seedo.lab.data._working import Working
from seedo.tables import Table, said_names

_Text = Annotated[str, Field(max_length=1_000)]
_Texts = Annotated[tuple[_Text, ...], Field(max_length=100)]


class Question(BaseModel):
    """See `seedo ask`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str = Field(min_length=1, max_length=1_000)
    refute: bool = False


class Outcome(BaseModel):
    """Whose levers are ranked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: str = Field(min_length=1, max_length=1_000)


class Wanted(BaseModel):
    """See `seedo advise`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    goal: str = Field("", max_length=1_100)
    budget: int = Field(1, ge=1, le=20)
    can_set: _Text = ""
    values: _Texts = ()
    ranges: _Texts = ()
    constraints: _Texts = ()
    avoid: _Texts = ()
    costs: _Texts = ()
    prefer: str = Field("", max_length=10)

    def options(self) -> list[str]:
        """The same on the command line."""
        words: list[str] = []
        for option, text in (("--goal", self.goal), ("--can-set", self.can_set),
                             ("--prefer", self.prefer)):  # fmt: skip
            words += [option, text] if text else []
        words += ["--budget", str(self.budget)] if self.budget != 1 else []
        for option, texts in (("--values", self.values), ("--range", self.ranges),
                              ("--constraint", self.constraints), ("--avoid", self.avoid),
                              ("--cost", self.costs)):  # fmt: skip
            for text in texts:
                words += [option, text]
        return words


def asked(working: Working, kept: Kept, said: Question, job: Job) -> dict[str, Any]:
    """An answer, as an entry of the history."""
    table, notes = _rows.read(kept, said.question)
    assumed = kept.said.assumed
    beliefs = assumed.beliefs(table)
    job.doing = "working out the answer"
    found = inference.ask(
        said.question, table, beliefs, weigh=lambda: working.weigh(job, table, assumed, beliefs)
    )
    if said.refute:
        job.doing = "trying to refute it"
        found = inference.refute(said.question, table, found, beliefs, job.progress)
    options = [f"--{assumed.form}"] * (assumed.form != "auto") + ["--refute"] * said.refute
    typed = _rows.command(kept, "ask", [said.question], options)
    return _history.keep(
        kept, "ask", said.question, typed, reports.answer_json(found, table, notes)
    )


def graph(working: Working, kept: Kept, job: Job) -> dict[str, Any]:
    """What is believed of every edge."""
    table, notes = _rows.read(kept)
    assumed = kept.said.assumed
    posterior = working.weigh(job, table, assumed, assumed.beliefs(table))
    return {**evaluation.graph_beliefs(posterior), "notes": notes}


def levers(working: Working, kept: Kept, said: Outcome, job: Job) -> dict[str, Any]:
    """The columns by how far each moves the outcome, as an entry of the history."""
    question = inference.questions.Ranking(said.outcome).text()
    table, notes = _rows.read(kept, question)
    assumed = kept.said.assumed
    beliefs = assumed.beliefs(table)
    job.doing = "comparing effects"
    found = evaluation.levers(
        said.outcome, table, beliefs, lambda: working.weigh(job, table, assumed, beliefs)
    )
    options = [f"--{assumed.form}"] * (assumed.form != "auto")
    typed = _rows.command(kept, "ask", [question], options)
    answer = reports.answer_json(found.answer, table, notes)
    ranked = found.to_dict()["levers"]
    return _history.keep(kept, "levers", said.outcome, typed, answer, levers=ranked)


def advised(working: Working, kept: Kept, said: Wanted, job: Job) -> dict[str, Any]:
    """The next experiments, as an entry of the history."""
    table, notes = _rows.read(kept, said.goal)
    assumed = kept.said.assumed.model_copy(update={"form": "auto"})
    beliefs = assumed.beliefs(table)
    wanted = evaluation.read_wishes(
        table,
        budget=said.budget,
        goal=said.goal or None,
        can_set=said_names("can-set", [said.can_set]) if said.can_set.strip() else None,
        values=said.values,
        ranges=said.ranges,
        constraints=said.constraints,
        avoid=said.avoid,
        costs=said.costs,
        prefer=said.prefer or None,
    )
    found: evaluation.Advice | evaluation.SettingsAdvice
    if evaluation.settings_vary(table):
        job.doing = "planning runs"
        found = evaluation.advise_settings(table, wanted, seed=assumed.seed)
    else:
        posterior = working.weigh(job, table, assumed, beliefs)
        job.doing = "planning experiments"
        found = evaluation.advise(posterior, wanted, seed=assumed.seed, progress=job.progress)
    typed = _rows.command(kept, "advise", [], said.options())
    told = {**found.to_dict(), "notes": notes}
    to_set = [_to_set(table, row) for row in told["experiments"]]
    return _history.keep(kept, "advise", said.goal, typed, told, to_set=to_set)


def _to_set(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """What an experiment sets, by column: numbers, and levels by name."""
    if "settings" in row:
        return dict(row["settings"])
    column = table.columns[table.index(row["target"])]
    value = row["value"]
    return {row["target"]: column.levels[int(value)] if column.named else value}
