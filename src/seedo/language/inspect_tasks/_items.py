"""Tasks whose samples are items: content effects and analogies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalLog
from inspect_ai.scorer import (
    Metric,
    SampleScore,
    Score,
    Scorer,
    Value,
    metric,
    scorer,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver

from seedo.errors import UserError
from seedo.language.items import (
    ANALOGY_KINDS,
    CONTENT_KINDS,
    Answered,
    ContentEffect,
    Item,
    ItemPerformance,
    alphabet_effects,
    among_answered,
    by_cell,
    items,
    paired_content_effects,
    share_answered,
    share_as_shown,
)
from seedo.language.items import content_effect as effects_of_content
from seedo.language.runs import on_stage
from seedo.language.runs.inspect import CUT, chat, said, scored_by, why_cut
from seedo.language.scenes import LONGEST
from seedo.statistics import Estimate, clusters_of, proportion

BOTH = {"both": ("usual", "permuted"), "all": ("usual", "permuted", "symbols")}


@task
def content_effects(
    kinds: Sequence[str] | str = CONTENT_KINDS,
    count: int = 120,
    seed: int = 0,
    reasoning: bool = False,
) -> Task:
    """Does what is believed of the world leak into what follows from premises?

    Args:
        kinds: of `syllogisms`, `entailment`, `wason`; a sequence, or separated by commas.
        count: items of each kind; multiples of 12 balance every cell.
        seed: of the items.
        reasoning: thinking aloud before the answer is asked for.
    """
    return _task(_words("kinds", kinds, CONTENT_KINDS), count, seed, reasoning, content_scores())


@task
def analogies(
    kinds: Sequence[str] | str = ANALOGY_KINDS,
    count: int = 120,
    seed: int = 0,
    alphabet: Sequence[str] | str = "both",
    reasoning: bool = False,
) -> Task:
    """Do analogies survive symbols in an order that nobody has seen?

    Args:
        kinds: of `letter-strings`, `matrices`, `grids`; a sequence, or separated by commas.
        count: items of each kind; multiples of the number of alphabets are balanced.
        seed: of the items.
        alphabet: `both` (usual and permuted), `all`, or some of `usual`, `permuted`, `symbols`.
        reasoning: thinking aloud before the answer is asked for.
    """
    chosen = BOTH.get(alphabet) if isinstance(alphabet, str) else None
    alphabets = chosen or _words("alphabet", alphabet, (*BOTH["all"],))
    named = _words("kinds", kinds, ANALOGY_KINDS)
    return _task(named, count, seed, reasoning, analogy_scores(), alphabets)


def _task(
    kinds: Sequence[str],
    count: int,
    seed: int,
    reasoning: bool,
    scored: Scorer,
    alphabets: Sequence[str] = BOTH["all"],
) -> Task:
    # Kinds take turns, so that `limit` keeps some of each.
    of_kinds = zip(*(items(kind, count, seed, alphabets) for kind in kinds), strict=True)
    asked = [item for turn in of_kinds for item in turn]
    samples = [
        Sample(
            id=item.id,
            input=chat(item.messages(reasoning)),
            target=item.gold,
            metadata={"item": item.to_dict(), "block": item.block, "reasoning": reasoning},
        )
        for item in asked
    ]
    return Task(MemoryDataset(samples), solver=answer_item(), scorer=scored)


def _words(field: str, given: Sequence[str] | str, known: Sequence[str]) -> tuple[str, ...]:
    words = given.replace(",", " ").split() if isinstance(given, str) else list(given)
    for word in words:
        if word not in known:
            raise UserError(field, word, f"use one or more of {', '.join(known)}")
    if not words:
        raise UserError(field, given, f"use one or more of {', '.join(known)}")
    return tuple(dict.fromkeys(words))


@solver
def answer_item() -> Solver:
    """One reply to the item that the sample's metadata holds."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        before = on_stage.set(ItemPerformance(Item.from_dict(state.metadata["item"])))
        try:
            return await generate(state)
        except BaseException as error:
            state.metadata = {**state.metadata, CUT: why_cut(error)}
            raise
        finally:
            on_stage.reset(before)

    return solve


# -- scores ---------------------------------------------------------------------------------------


def _all_said(estimates: Mapping[str, Estimate], before: str = "") -> dict[str, float | None]:
    values: dict[str, float | None] = {}
    for name, estimate in estimates.items():
        values |= said(before + name, estimate)
    return values


def _row(item: Mapping[str, Any], value: Mapping[str, Any], run: str = "") -> Answered:
    known = Item.from_dict(item)
    return Answered(
        known.id,
        known.block,
        known.kind,
        known.conditions,
        run,
        float(value["correct"]),
        float(value["malformed"]),
        known.floor,
        float(value.get("as_shown", 0)),  # logs of before have none
    )


def _rows(scores: Iterable[SampleScore]) -> list[Answered]:
    return [_row((s.sample_metadata or {})["item"], s.score.as_dict()) for s in scores]


def _metric(compute: Callable[[list[Answered]], dict[str, float | None]]) -> Metric:
    def over(scores: list[SampleScore]) -> Value:
        found: Any = compute(_rows(scores)) or {"items": None}  # nothing of nothing: left out
        return found

    return over


@metric(scores="unreduced")
def accuracy_by_cell() -> Metric:
    """Accuracy of every cell, with its 95 % interval; silence counts as chance."""
    return _metric(lambda rows: _all_said(by_cell(rows)))


@metric(scores="unreduced")
def answered_by_cell() -> Metric:
    """Of every cell the share of replies with an answer, and accuracy among these."""

    def compute(rows: list[Answered]) -> dict[str, float | None]:
        shares = _all_said(by_cell(rows, share_answered), "answered/")
        return shares | _all_said(by_cell(rows, among_answered), "among_answered/")

    return _metric(compute)


@metric(scores="unreduced")
def content_effect_by_kind() -> Metric:
    """Accuracy where content helps less where it misleads, within blocks; 95 % interval."""
    return _metric(lambda rows: _all_said(paired_content_effects(rows), "content_effect/"))


@metric(scores="unreduced")
def alphabet_effect_by_kind() -> Metric:
    """Accuracy in the usual alphabet less in others, within blocks; 95 % interval."""
    return _metric(lambda rows: _all_said(alphabet_effects(rows), "usual_less_other/"))


@metric(scores="unreduced")
def as_shown_by_kind() -> Metric:
    """Share of answers, by kind, that are the one drawn at random to show the form."""

    def compute(rows: list[Answered]) -> dict[str, float | None]:
        kinds = {kind: [row for row in rows if row.kind == kind] for kind in _kinds(rows)}
        return _all_said({kind: share_as_shown(own) for kind, own in kinds.items()}, "as_shown/")

    return _metric(compute)


def _kinds(rows: list[Answered]) -> list[str]:
    return list(dict.fromkeys(row.kind for row in rows))


@metric(scores="unreduced")
def random_floor() -> Metric:
    """Expected accuracy of random answers of the right form, by kind; exact."""

    def compute(rows: list[Answered]) -> dict[str, float | None]:
        kinds = {kind: [row.floor for row in rows if row.kind == kind] for kind in _kinds(rows)}
        return {f"random_floor/{kind}": sum(f) / len(f) for kind, f in kinds.items()}

    return _metric(compute)


@metric(scores="unreduced")
def over_all() -> Metric:
    """Share of right answers, silence being none, and of silence, with their 95 % intervals."""

    def compute(rows: list[Answered]) -> dict[str, float | None]:
        if not rows:
            return {}
        blocks = clusters_of([row.block for row in rows])
        right = proportion([row.correct for row in rows], blocks)
        silent = proportion([row.malformed for row in rows], blocks)
        return said("correct", right) | said("malformed", silent)

    return _metric(compute)


_EVERYWHERE: list[Any] = [
    accuracy_by_cell(),
    answered_by_cell(),
    as_shown_by_kind(),
    random_floor(),
    over_all(),
]


_SILENT: dict[str, str | int | float | bool | None] = {
    "correct": 0,
    "malformed": 1,
    "as_shown": 0,
}


def _score(state: TaskState) -> Score:
    item = Item.from_dict(state.metadata["item"])
    if not state.output.choices:
        why = state.metadata.get(CUT, "")
        explanation = f"There was no reply: cut short by {why}." if why else "There was no reply."
        return Score(value=_SILENT, explanation=explanation)
    reply = state.output.completion
    answer = item.read(reply, state.metadata["reasoning"])
    if not isinstance(answer, str):
        return Score(
            value=_SILENT,
            answer=reply[:LONGEST],
            explanation=f"Malformed ({answer.reason}): {answer.remedy}",
        )
    right = answer == item.gold
    verdict = "Right." if right else f"Wrong: it is {item.gold}."
    values = {"correct": int(right), "malformed": 0, "as_shown": int(answer == item.shown_normally)}
    return Score(value=values, answer=answer, explanation=verdict)


@scorer(metrics=[content_effect_by_kind(), *_EVERYWHERE])
def content_scores() -> Scorer:
    """Exact match in normal form; by cell, and the content effect."""
    return scored_by(_score)


@scorer(metrics=[alphabet_effect_by_kind(), *_EVERYWHERE])
def analogy_scores() -> Scorer:
    """Exact match in normal form; by alphabet, and the difference that alphabets make."""
    return scored_by(_score)


# -- logs -----------------------------------------------------------------------------------------


def item_rows(log: EvalLog) -> Iterator[Answered]:
    """The scored answers in a log of `content_effects` or `analogies`; epochs are runs."""
    for sample in log.samples or []:
        for score in (sample.scores or {}).values():
            if "item" in sample.metadata and isinstance(score.value, dict):
                yield _row(sample.metadata["item"], score.value, str(sample.epoch))


def content_effect(log_or_rows: EvalLog | Iterable[Answered]) -> dict[str, ContentEffect]:
    """Content effects by kind, paired within blocks and by a mixed model.

    Args:
        log_or_rows: a log of `content_effects`, or answers.
    """
    rows = item_rows(log_or_rows) if isinstance(log_or_rows, EvalLog) else log_or_rows
    return effects_of_content(rows)
