"""Study `watched-models`: what a pretrained language model learns from watching experiments."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from seedo import evaluation, language, reports, worlds
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.experimenters import find_player, scripted
from seedo.language import hub
from seedo.language.runs import same_world
from seedo.recipes import HUB, TuningRecipe
from seedo.statistics import Estimate, mean, paired_difference, ratio
from seedo.studies._estimates import power_of
from seedo.studies._spoken import malformed, player_of, said, typed_length
from seedo.studies._study import Study, Work
from seedo.studies._words import beyond, of_the_claim, slug, told, verdict

MARGIN = 0.05
"""Of the omniscient return: what counts as a difference."""

PROMPTS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "examples": {"examples": 2},
    "explained examples": {"examples": 2, "explanations": True},
    "reasoning": {"reasoning": True},
    "recap": {"recap": True},
    "check": {"check": True},
}
"""Ways to put a task to the untuned model, as switches of the prompt."""
WATCHED, EXPLAINED, READ = "watched", "watched, explained", "read observations"
TUNED: dict[str, dict[str, Any]] = {
    WATCHED: {},
    EXPLAINED: {"explanations": True, "reasoning": True},
    READ: {},
}
"""What the model is tuned on, as switches of the transcripts' prompt."""
REFERENCES = ("scripted:largest-effect", "bayes:rotation")
_WRITES = {"reasoning", "check"}
"""Switches under which replies are longer than a line."""
_AT_ONCE = 32


@dataclass(frozen=True)
class Scale:
    """How much is run.

    Attributes:
        world: settings of world `dag`.
        splits, names: whose systems are met, under what names; the last split and the first kind of
            names are those of the verdict. Transcripts have the first kind.
        prompts: of `PROMPTS`.
        episodes: of every run.
        transcripts: that each tuned model has watched, `epochs` times.
        seeds: models tuned alike on other episodes.
        tuning: further settings of `TuningRecipe`.
        longest: tokens of a reply where it may think, unless the player has a length of its own.
    """

    world: dict[str, Any]
    splits: tuple[str, ...]
    names: tuple[str, ...]
    prompts: tuple[str, ...]
    episodes: int
    transcripts: int
    epochs: float
    seeds: int
    tuning: dict[str, Any] = field(default_factory=dict)
    longest: int = 192

    @property
    def cells(self) -> list[tuple[str, str]]:
        """Splits and names that are played."""
        return list(product(self.splits, self.names))

    @property
    def decisive(self) -> tuple[str, str]:
        """The cell of the verdict."""
        return self.splits[-1], self.names[0]


class Played(NamedTuple):
    """Runs by cell and arm, one a tuned model or one alone; those of references by split."""

    player: str
    runs: dict[tuple[str, str], dict[str, list[Dataset]]]
    references: dict[str, dict[str, Dataset]]


def _play(work: Work[Scale]) -> Played:
    player = player_of(work, ["names", *sorted({s for own in PROMPTS.values() for s in own})])
    if not player.name.startswith(HUB):
        remedy = f"the study tunes a model of this machine: use {HUB}FOLDER"
        raise UserError("--player", player.name, remedy)
    scale, base = work.scale, player.conditions
    runs: dict[tuple[str, str], dict[str, list[Dataset]]] = {cell: {} for cell in scale.cells}
    opened = functools.lru_cache(maxsize=1)(hub.open_model)  # once for all that one model plays
    arms = [(prompt, PROMPTS[prompt], player.name, "") for prompt in scale.prompts]
    for arm, own in product(TUNED, work.seeds(scale.seeds)):
        folder = _tuned(own, player.name, arm)
        stage = {k: v for k, v in TUNED[arm].items() if k != "explanations"}  # nobody tells it why
        arms.append((arm, stage, f"{HUB}{folder}", f"-{own.seed}"))
    for arm, switches, name, which in arms:
        usual = scale.longest if _WRITES & switches.keys() else hub.LONGEST_REPLY
        longest = usual if player.longest is None else player.longest
        for split, names in scale.cells:
            speaker = _Once(name, longest, opened)
            folder = work.out / "runs" / f"{_slug(arm)}{which}-{split}-{names}"
            dataset = language.record_speaker(
                _world(scale, split), speaker, scale.episodes, work.seed, folder, resume=True,
                conditions=replace(base, names=names, **switches), at_once=_AT_ONCE,
                meter=speaker, typed=typed_length(player.longest),
            )  # fmt: skip
            work.say(f"{folder.name}: {scale.episodes:,} episodes")
            runs[split, names].setdefault(arm, []).append(dataset)
            if (split, names) == scale.decisive:
                work.runs.append(str(folder))
    return Played(player.name, runs, dict(_references(work)))


@dataclass
class _Once:
    """A speaker whose model is `opened` when it is first asked: a finished run needs none."""

    name: str
    longest: int
    opened: Callable[[str], hub.HubModel]
    _speaker: hub.HubSpeaker | None = None
    spent: list[tuple[int, int]] = field(default_factory=list)

    def replies(self, conversations: Sequence[Sequence[language.Message]]) -> list[str]:
        return self.replies_after(conversations, [0] * len(conversations))

    def replies_after(
        self,
        conversations: Sequence[Sequence[language.Message]],
        refused: Sequence[int],
        tools: Sequence[Sequence[Mapping[str, Any]]] | None = None,
    ) -> list[str]:
        if self._speaker is None:
            model = self.opened(self.name)
            self._speaker = hub.HubSpeaker(model, self.name, longest=self.longest)
        said = self._speaker.replies_after(conversations, refused, tools)
        self.spent = self._speaker.spent
        return said


def _world(scale: Scale, split: str, **more: Any) -> Any:
    return same_world("dag", worlds.make("dag", split=split, **scale.world | more).config())


def _tuned(work: Work[Scale], model: str, arm: str) -> Path:
    """The model after it has watched an expert, or read what somebody has only observed."""
    scale, say = work.scale, work.say
    world, who, logs = _world(scale, "train"), scripted("expert"), f"logs/watched-{work.seed}"
    if arm == READ:
        rows = world.config()["experiments"]
        world = _world(scale, "train", experiments=0, observations=rows)
        who, logs = scripted("random"), f"logs/observed-{work.seed}"
    dataset = work.watched(world, who, scale.transcripts, logs)
    out = work.out / "agents" / f"{_slug(arm)}-{work.seed}"
    switches = {"names": scale.names[0], **TUNED[arm]}
    recipe = TuningRecipe(
        network=model,
        epochs=scale.epochs,
        seed=work.seed,
        loss_on="results" if arm == READ else "actions",
        prompt=tuple(f"{k}={str(v).lower()}" for k, v in switches.items()),
        **scale.tuning,
    )
    language.tune(
        [dataset.path], out, recipe, resume=True,
        progress=lambda r: say(f"{out.name}: {r.fraction:.0%} {r.doing}"),
    )  # fmt: skip
    return out


def _references(work: Work[Scale]) -> Iterator[tuple[str, dict[str, Dataset]]]:
    for split in work.scale.splits:
        world = _world(work.scale, split)
        yield split, {
            name: work.played(
                world, find_player(name, world), work.scale.episodes,
                f"runs/{_slug(name)}-{split}", split == work.scale.splits[-1],
            )
            for name in REFERENCES
        }  # fmt: skip


def _slug(arm: str) -> str:
    return slug(arm).replace(":", "-")


# -- figures --------------------------------------------------------------------------------------


def _measure(work: Work[Scale], played: Played) -> dict[str, Any]:
    cells = {}
    for (split, names), arms in played.runs.items():
        cells[f"{split}, {names}"] = {
            "arms": {arm: _of_arm(work, runs) for arm, runs in arms.items()},
            "random": _floor(next(iter(arms.values()))[0]).to_json(),
            "references": {
                name: _shares([run]).to_json() for name, run in played.references[split].items()
            },
        }
    return {
        "player": played.player,
        "cells": cells,
        "differences": _differences(played.runs[work.scale.decisive]),
    }


def _of_arm(work: Work[Scale], runs: list[Dataset]) -> dict[str, Any]:
    words = [s for run in runs for s in said(run)]
    reviewed = [_reviewed(work, run) for run in runs]
    return {
        "return": _shares(runs).to_json(),
        "returns": [_shares([run]).value for run in runs],
        "Bayes ratio": [own["Bayes ratio"] for own in reviewed],
        "tested": [own["tested"] for own in reviewed],
        "malformed": malformed(words).to_json(),
        "models": len(runs),
        "n": runs[0].rows,
    }


def _reviewed(work: Work[Scale], run: Dataset) -> dict[str, float | None]:
    """The return as a share of what the exact reader has with the same experiments, and how many
    variables these set."""

    def compute() -> dict[str, float | None]:
        [row] = evaluation.review([run.path]).runs
        metrics = row.metrics
        return {"Bayes ratio": metrics.bayes_ratio.value, "tested": metrics.distinct_tested.value}

    question = {"log": run.manifest_hash}
    return dict(work.numbers(f"reviews/{run.path.name}.json", question, compute))


def _by_system(runs: list[Dataset], of: str = "returns") -> dict[Hashable, float]:
    """Returns as shares of the mean omniscient one, by the number of the system; the mean over
    models that were tuned alike."""
    batches = [run.read(without=run.optional) for run in runs]
    best = float(batches[0].oracle_return.mean())
    values = np.mean([getattr(batch, of) for batch in batches], axis=0) / best
    return dict(zip(batches[0].episode_id.tolist(), values.tolist(), strict=True))


def _shares(runs: list[Dataset]) -> Estimate:
    """Return as a share of the omniscient one, over systems; of several models, over models."""
    if len(runs) > 1:
        return mean(np.array([_shares([run]).value for run in runs]))
    batch = runs[0].read(without=runs[0].optional)
    return ratio(batch.returns, batch.oracle_return)


def _floor(run: Dataset) -> Estimate:
    batch = run.read(without=run.optional)
    return ratio(batch.random_return, batch.oracle_return)


def _differences(arms: Mapping[str, list[Dataset]]) -> dict[str, Estimate]:
    """What watching adds, and to what; as shares of the omniscient return, paired by system."""
    values = {arm: _by_system(runs) for arm, runs in arms.items()}
    values["random play"] = _by_system(arms[WATCHED], "random_return")
    others = [arm for arm in values if arm != WATCHED]
    return {
        f"{WATCHED} less {arm}": paired_difference(values[WATCHED], values[arm]) for arm in others
    }


_COMPARED = ("as it is", "examples", READ, "random play")
"""With whom the claim compares the one that watched."""


def _judge(scale: Scale, values: Mapping[str, Any]) -> list[str]:
    split, names = scale.decisive
    cell = values["cells"][f"{split}, {names}"]
    lines = [
        f"{values['player']}, {scale.transcripts:,} transcripts, {scale.seeds} tuned "
        f"model{'s' * (scale.seeds > 1)}, {scale.episodes:,} systems of {split}, {names} names, "
        f"as shares of the omniscient return (random play {told(cell['random'])}):"
    ]
    for arm, own in cell["arms"].items():
        lines.append(
            f"{arm}: {told(own['return'])}; malformed replies {told(own['malformed'])}; variables "
            f"tested {np.mean(own['tested']):.2f}."
        )
    compared = {arm: values["differences"].get(f"{WATCHED} less {arm}") for arm in _COMPARED}
    found = {arm: own for arm, own in compared.items() if own is not None}
    lines += [f"{WATCHED} less {arm}: {told(own)}." for arm, own in found.items()]
    if (power := power_of(next(iter(found.values())))) is not None:
        lines.append(power.line)
    answers = [beyond(own, 0.0) for own in found.values()]
    small = [beyond(own, MARGIN) == "no" for own in found.values()]
    word = verdict(all(a == "yes" for a in answers), any(small))
    return [*lines, f"By a margin of {MARGIN:g}, this {of_the_claim(word)}."]


def _table(scale: Scale, values: Mapping[str, Any]) -> str:
    head = "| systems, names | arm | return | Bayes ratio | tested | malformed |"
    lines = [head, "|" + "---|" * 6]
    for cell, own in values["cells"].items():
        for arm, row in own["arms"].items():
            ratios = [r for r in row["Bayes ratio"] if r is not None]
            bayes = f"{np.mean(ratios):.3f}" if ratios else "unknown"
            lines.append(
                f"| {cell} | {arm} | {told(row['return'])} | {bayes} | "
                f"{np.mean(row['tested']):.2f} | {told(row['malformed'])} |"
            )
        for name, share in own["references"].items():
            lines.append(f"| {cell} | {name} | {told(share)} | | | |")
        lines.append(f"| {cell} | random play | {told(own['random'])} | | | |")
    return "\n".join(lines) + "\n"


def _draw(scale: Scale, values: Mapping[str, Any]) -> Figure:
    cells = list(values["cells"])
    arms = [*scale.prompts, *TUNED]
    figure, [[ax]] = reports.panels(1, 1, 1.6 + 0.9 * len(arms), 3.6)
    found = {
        arm: {cell: values["cells"][cell]["arms"][arm]["return"] for cell in cells} for arm in arms
    }
    reports.bars(ax, found, cells)
    floor = values["cells"][cells[-1]]["random"]["value"]
    ax.axhline(floor, color=reports.GREY, linestyle=":", linewidth=1.2, label="random play")
    ax.set_ylabel("share of the omniscient return")
    reports.legend_above(figure, ax, 3)
    return figure


STUDY = Study(
    name="watched-models",
    claim="""A pretrained language model that is tuned on transcripts of others' experiments, and on
        nothing else, experiments and acts on systems with a link that no transcript contains,
        better than it does as it comes, with examples in its prompt, or after reading as much
        observational text; and better than chance.""",
    design="""World `dag`, linear, 5 variables, 5 experiments. One pretrained model, put to the same
        systems, in distribution and on the held-out link, under nonsense, familiar and contrary
        names: as it is; with two examples of an expert, plain and explained; allowed to reason;
        with all results said again before it acts; asked to check a theory against them; tuned on
        transcripts of an expert (nonsense names; the loss on what the expert said alone); on the
        same with reasons before actions, which it then gives itself; and on as many observations
        of systems in which nothing is set, the loss on what is seen. Beside them the largest-effect
        reader and exact Bayes on experiments in rotation.""",
    refuted_if=f"""on the held-out link, under nonsense names, the interval of what the model that
        watched earns beyond one of those it is compared with lies below {MARGIN} of the omniscient
        return. Supported if all intervals lie above 0; else open.""",
    measures="""returns as shares of the omniscient return, with 95 % intervals over systems (one
        model) or over tuned models; differences paired by system, the mean over tuned models;
        Bayes ratio on own experiments; malformed replies""",
    scales={
        "quick": Scale(
            {"noise_variance": 0.05},
            ("heldout-link",),
            ("nonsense",),
            ("as it is", "examples"),
            episodes=8,
            transcripts=40,
            epochs=1.0,
            seeds=1,
            tuning={"batch_size": 4, "freeze": 24, "precision": "bfloat16"},
            longest=96,
        ),
        "full": Scale(
            {"noise_variance": 0.05},
            ("train", "heldout-link"),
            ("nonsense", "familiar", "contrary"),
            tuple(PROMPTS),
            episodes=256,
            transcripts=2000,
            epochs=2.0,
            seeds=3,
            tuning={"batch_size": 4, "learning_rate": 2e-4, "precision": "bfloat16"},
        ),
    },
    play=_play,
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Returns of one model as it is prompted, and as it is tuned",
    table=_table,
    needs_player=True,
    players="hf:FOLDER",
)
"""What a pretrained model learns by watching."""
