"""Tasks about what a player makes of experiments: its own, later, and those of others."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
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

from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.language.measures import (
    NOTES,
    Pursuit,
    SelfCorrectionScene,
    compare_arms,
    effect_table,
    horizon_world,
    pursuit,
    reading_scene,
    signs_right,
)
from seedo.language.runs import on_stage, same_world
from seedo.language.runs.inspect import (
    CLUSTER,
    CUT,
    ScenePerformance,
    chat,
    cut_share,
    end,
    malformed_share,
    normalised_return,
    random_floor,
    return_ratio,
    said,
    say_cut,
    scored_by,
    why_cut,
)
from seedo.language.scenes import Conditions, DagScene

_STREAM = "perform"


@task
def self_correction(
    horizon: int = 8,
    inject: int = 1,
    note: str = "reversed",
    context: int = 0,
    reasoning: bool = False,
    episodes: int = 50,
    seed: int = 0,
    n: int = 5,
    experiments: int | None = None,
    noise_variance: float = 0.04,
    names: str = "nonsense",
    instruction: str = "rules",
    attempts: int = 3,
) -> Task:
    """One goal after another in one system, without and with a false conclusion of one's own.

    Every episode is played twice, so there are twice as many samples as episodes.

    Args:
        horizon: goals, one after another.
        inject: the conclusion comes before this goal, counted from 0.
        note: `reversed`, `spurious`, `true` (a placebo), or `none`, which leaves that arm out.
        context: user messages that the player sees, with what lies between; 0: all of them.
        reasoning: replies may think step by step before their last line.
        episodes, seed: of stream `perform`.
        n, experiments, noise_variance: of the systems; see `horizon_world`.
        names, instruction, attempts: see `seedo.language.Conditions`.
    """
    if note not in NOTES:
        raise UserError("note", note, f"use one of {', '.join(NOTES)}")
    conditions = Conditions(
        names=names, instruction=instruction, reasoning=reasoning, attempts=attempts
    )
    world = horizon_world(n, horizon, experiments, noise_variance)
    shared = {
        "config": world.config(),
        "seed": seed,
        "conditions": conditions.to_dict(),
        "inject": inject,
        "context": context,
    }
    samples = []
    for index in range(_whole(episodes)):  # both arms of a system together: `limit` keeps pairs
        for arm in dict.fromkeys(("none", note)):
            where = {"index": index, "note": arm, CLUSTER: f"{seed}/{_STREAM}/{index}"}
            metadata = shared | where
            first = _horizon_scene(metadata).messages()
            samples.append(Sample(chat(first), id=f"{arm}-{seed}-{index:05d}", metadata=metadata))
    return Task(MemoryDataset(samples), solver=play_horizon(), scorer=horizon_score())


@task
def reading(
    explored: str,
    shown: str = "turns",
    episodes: int | None = None,
    stream: str = "perform",
    names: str = "nonsense",
    instruction: str = "rules",
    reasoning: bool = False,
    check: bool = False,
    structure: bool = False,
    decimals: int = 1,
    attempts: int = 3,
) -> Task:
    """Act on somebody else's experiments: chooser x reader.

    Args:
        explored: a run folder of world `dag`: whose experiments are read.
        shown: as the player's own `turns`, or as a `table` of somebody else's.
        episodes: of the run; all if None.
        stream: that the run was played on.
        names, instruction, reasoning, check, structure, decimals, attempts: see
            `seedo.language.Conditions`.
    """
    conditions = Conditions(
        names=names,
        instruction=instruction,
        reasoning=reasoning,
        check=check,
        structure=structure,
        decimals=decimals,
        attempts=attempts,
    )
    batch = Dataset(explored).read(without=("action_logits", "explanation"))
    world = same_world("dag", json.loads(batch.origin.world_config))
    count = batch.rows if episodes is None else min(_whole(episodes), batch.rows)
    samples = []
    for row in range(count):
        scene = reading_scene(batch, row, conditions, world=world, stream=stream, shown=shown)
        index = int(batch.episode_id[row])
        name = f"read-{batch.origin.seed}-{index:05d}"
        metadata = {"row": row, CLUSTER: f"{batch.origin.seed}/{stream}/{index}"}
        samples.append(Sample(chat(scene.messages()), id=name, metadata=metadata))

    def opened(metadata: dict[str, Any]) -> DagScene:
        row = metadata["row"]
        return reading_scene(batch, row, conditions, world=world, stream=stream, shown=shown)

    return Task(MemoryDataset(samples), solver=play_reading(opened), scorer=reading_score())


def _whole(episodes: Any) -> int:
    if not isinstance(episodes, int) or isinstance(episodes, bool) or episodes < 1:
        raise UserError("episodes", episodes, "use a whole number above 0")
    return episodes


def _horizon_scene(metadata: dict[str, Any]) -> SelfCorrectionScene:
    return SelfCorrectionScene(
        same_world("dag", metadata["config"]),
        metadata["seed"],
        _STREAM,
        metadata["index"],
        Conditions.from_dict(metadata["conditions"]),
        note=metadata["note"],
        inject=metadata["inject"],
        context=metadata["context"],
    )


@solver
def play_horizon() -> Solver:
    """Plays the sample's scene; its pursuit ends up in `state.metadata["pursuit"]`."""

    def found(scene: SelfCorrectionScene) -> dict[str, Any]:
        stated, true = scene.answers.get("effects"), effect_table(scene.episode)
        return {
            "pursuit": pursuit(scene).to_json(),
            "signs_right": None if stated is None else signs_right(stated, true),
        }

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        return await _play(_horizon_scene(state.metadata), state, generate, found)

    return solve


@solver
def play_reading(opened: Callable[[dict[str, Any]], DagScene]) -> Solver:
    """Plays the exploit steps of an explored episode."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        return await _play(opened(state.metadata), state, generate)

    return solve


async def _play(
    scene: Any,
    state: TaskState,
    generate: Generate,
    found: Callable[[Any], dict[str, Any]] = lambda scene: {},
) -> TaskState:
    """Plays a scene to its end, whatever ends it; what is scored of it, and what is `found` in the
    finished scene, end up in the sample's metadata."""
    before, why = on_stage.set(ScenePerformance(scene, scene.world)), ""
    try:
        while not scene.finished and not state.completed:
            # The scene decides what its player still sees.
            state.messages = chat(scene.messages())
            state = await generate(state, tool_calls="none")
            scene.reply(state.output.message.text)
    except BaseException as error:
        why = why_cut(error)
        raise
    finally:
        on_stage.reset(before)
        ended = end(scene, why)
        state.metadata = {**state.metadata, **ended, **found(scene)}
    return state


_COMPARED = (
    "contradicted",
    "resisted",
    "recovered",
    "recovered_after_fall",
    "regret_dependent",
    "regret_other",
)


@metric(scores="unreduced")
def horizon_and_recovery() -> Metric:
    """Success per horizon, recovery and paired differences; see `compare_arms`.

    Of several epochs the first counts: pairs of one system are no independent pairs.
    """

    def compute(scores: list[SampleScore]) -> Value:
        arms: dict[str, dict[str, Pursuit]] = {}
        for score in scores:
            where, fields = score.sample_metadata or {}, score.score.metadata or {}
            if fields.get("pursuit"):
                own = Pursuit.from_json(fields["pursuit"])
                arms.setdefault(where["note"], {}).setdefault(where[CLUSTER], own)
        plain = arms.get("none", {})
        noted = next((own for note, own in arms.items() if note != "none"), plain)
        shared = [key for key in plain if key in noted]
        if not shared:
            return {"pairs": 0.0}
        told = compare_arms([plain[key] for key in shared], [noted[key] for key in shared])
        found: dict[str, float | None] = {"pairs": float(len(shared))}
        for h, (alone, with_note) in enumerate(
            zip(told.success, told.noted_success, strict=True), start=1
        ):
            found |= said(f"success_{h}", alone)
            if noted is not plain:
                found |= said(f"noted_success_{h}", with_note)
        if noted is not plain:
            for name in _COMPARED:
                found |= said(name, getattr(told, name))
        return found

    return compute


@scorer(metrics=[horizon_and_recovery(), malformed_share(), cut_share()])
def horizon_score() -> Scorer:
    """Share of goals acted on rightly, malformed replies and replies; the steps as metadata."""

    def score(state: TaskState) -> Score:
        fields, signs = state.metadata["pursuit"], state.metadata["signs_right"]
        right, ended = Pursuit.from_json(fields).right, state.metadata["end"]
        told = ["".join("+" if r else "-" for r in right) + "."]
        told += [] if signs is None else [f"Signs of effects stated rightly: {signs:.2f}."]
        told += [cut] if (cut := say_cut(state.metadata[CUT])) else []
        counts = {name: ended[name] for name in ("malformed", "replies", CUT)}
        return Score(
            value={"right": float(right.mean())} | counts,
            answer=state.output.completion,
            explanation=" ".join(told),
            metadata={"pursuit": fields, "signs_right": signs},
        )

    return scored_by(score)


@scorer(
    metrics=[return_ratio(), normalised_return(), random_floor(), malformed_share(), cut_share()]
)
def reading_score() -> Scorer:
    """Return, references, malformed replies and replies."""

    def score(state: TaskState) -> Score:
        told = say_cut(state.metadata[CUT]) or None
        return Score(value=state.metadata["end"], answer=state.output.completion, explanation=told)

    return scored_by(score)
