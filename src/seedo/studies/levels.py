"""Study `levels`: what it takes to experiment on systems that are only shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from seedo import abstraction, worlds
from seedo.episodes import Dataset
from seedo.experimenters import scripted
from seedo.learning import Agent
from seedo.reports import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    RED,
    curve,
    legend_above,
    log_scale,
    panels,
)
from seedo.statistics import mean, ratio
from seedo.studies._regime import RECIPES
from seedo.studies._study import Study, Work
from seedo.studies._words import of_the_claim, slug, told, verdict
from seedo.worlds.raw import ABOUT

SPLITS = ("train", "heldout-link")
TOLD, THROUGH, RAW, EXPLAINED = "told", "through", "end to end", "end to end, explained"
LEVELS = (TOLD, THROUGH, RAW, EXPLAINED)
_TWIN = {"plain-raw": "plain"}
"""The network told the variables that one which reads what is shown is held against."""
ENOUGH = 0.9
"""Share of the told agent's return that the one that reads through an abstraction is to reach."""
PLAYED = (-2.0, 2.0)
"""What knobs are set to where agents play, as in world dag."""


@dataclass(frozen=True)
class Scale:
    """How much is run.

    Attributes:
        drawings: of the raw worlds.
        watched: episodes of the expert, by growing amount.
        networks: that read variables, with the epochs over what is watched.
        epochs: of the networks that read what is shown.
        random: episodes of random play that the abstraction is learnt from.
        updates: of the abstraction.
        episodes: that every agent plays.
        seeds: independent repetitions: drawings, logs, abstractions, networks, what is played.
    """

    drawings: tuple[str, ...]
    watched: tuple[int, ...]
    networks: Mapping[str, float]
    epochs: float
    random: int
    updates: int
    episodes: int
    seeds: int = 1


SCALES = {
    "quick": Scale(("mixture",), (5_000, 30_000), {"plain": 3.0}, 3.0, 4_000, 4_000, 1024),
    "full": Scale(
        ("mixture", "gauges", "lamps", "parts"), (5_000, 30_000, 200_000),
        {"plain": 3.0, "equivariant": 2.0}, 3.0, 8_000, 8_000, 4096,
    ),
}  # fmt: skip
SCALES["medium"] = replace(SCALES["quick"], seeds=3)

Runs = dict[str, dict[str, dict[str, Dataset]]]
"""By drawing, then LEVEL/NETWORK/EPISODES, then split."""
Found = dict[str, dict[str, dict[str, dict[str, Any]]]]
"""By drawing, then LEVEL/NETWORK/EPISODES, then split: `return`, of the omniscient one, and `of
told`, of the told agent's; of several seeds the mean over them, and each (`seeds`)."""


def _play(work: Work[Scale]) -> list[Runs]:
    """Of every seed."""
    seeds = [own.seed for own in work.seeds(work.scale.seeds)]
    keys = [(seed, drawing) for seed in seeds for drawing in ("", *work.scale.drawings)]
    runs = dict(zip(keys, work.each("level", keys), strict=True))
    return [{d: runs[seed, ""] | runs[seed, d] for d in work.scale.drawings} for seed in seeds]


def _level(work: Work[Scale], key: Any) -> dict[str, dict[str, Dataset]]:
    """Of a seed and a drawing; "": of those who are told the variables."""
    seed, drawing = key
    own = work.at(seed) if work.scale.seeds == 1 else work.at(seed).below(f"seed-{seed}")
    return _shown(own, drawing) if drawing else _told(own)


def _told(work: Work[Scale]) -> dict[str, dict[str, Dataset]]:
    logs = _watched(work, worlds.make("dag"), "told")
    return {
        f"{TOLD}/{network}/{count}": _played(
            work,
            "dag",
            {},
            _learnt(work, logs, count, "told", network, epochs),
            f"told-{network}-{count}",
        )
        for network, epochs in work.scale.networks.items()
        for count in work.scale.watched
    }


def _shown(work: Work[Scale], drawing: str) -> dict[str, dict[str, Dataset]]:
    settings = _settings(work, drawing)
    name = f"through:{_abstracted(work, drawing)}"
    raw = worlds.make("raw", **settings, do_values=PLAYED)
    through = worlds.make(name)
    shown, read = _watched(work, raw, drawing), _watched(work, through, f"{drawing}-through")
    runs = {}
    for count in work.scale.watched:
        for network, epochs in work.scale.networks.items():
            agent = _learnt(work, read, count, f"{drawing}-through", network, epochs)
            label = f"{drawing}-through-{network}-{count}"
            runs[f"{THROUGH}/{network}/{count}"] = _played(work, name, {}, agent, label)
        for level, explanations in ((RAW, "none"), (EXPLAINED, "predict")):
            label = f"{drawing}-{slug(level)}"
            agent = _learnt(
                work, shown, count, label, "plain-raw", work.scale.epochs, explanations=explanations
            )
            own = settings | {"do_values": PLAYED}
            runs[f"{level}/plain-raw/{count}"] = _played(
                work, "raw", own, agent, f"{label}-{count}"
            )
    return runs


def _settings(work: Work[Scale], drawing: str) -> dict[str, Any]:
    """Settings of what is shown: every seed deals out places and mixing anew."""
    return {"drawing": drawing, "drawing_seed": work.seed}


def _abstracted(work: Work[Scale], drawing: str) -> Path:
    """An abstraction learnt from random play in the raw world; found there if it is finished."""
    world = worlds.make("raw", **_settings(work, drawing))
    folder = work.out / f"abstraction-{drawing}"
    logs = work.watched(world, scripted("random"), work.scale.random, f"logs/{drawing}-random")
    if not (folder / ABOUT).is_file():
        work.say(f"{drawing}: learning to read variables")
        for left in folder.glob("*"):  # of one that was stopped before it was finished
            left.unlink()
        abstraction.abstract(logs.path, folder, updates=work.scale.updates, seed=work.seed)
    return folder


def _watched(work: Work[Scale], world: Any, label: str) -> dict[int, Dataset]:
    return {
        count: work.watched(
            world, scripted("expert"), count, f"logs/{label}-{count}", explain="graph"
        )
        for count in work.scale.watched
    }


def _learnt(
    work: Work[Scale],
    logs: dict[int, Dataset],
    count: int,
    label: str,
    network: str,
    epochs: float,
    **recipe: Any,
) -> Agent:
    usual = RECIPES.get(network, {})
    folder = f"agents/{label}-{network}-{count}"
    own = usual | recipe
    return work.learnt([logs[count].path], folder, network=network, epochs=epochs, **own)


def _played(
    work: Work[Scale], world: str, settings: dict[str, Any], agent: Agent, label: str
) -> dict[str, Dataset]:
    return {
        split: work.played(
            worlds.make(world, split=split, **settings), agent, work.scale.episodes,
            f"runs/{label}-{split}",
        )
        for split in SPLITS
    }  # fmt: skip


def _measure(work: Work[Scale], runs: list[Runs]) -> Found:
    each = [{drawing: _of_drawing(own) for drawing, own in one.items()} for one in runs]
    return each[0] if len(each) == 1 else _over_seeds(each)


def _over_seeds(each: list[Found]) -> Found:
    def pooled(*where: str) -> dict[str, Any]:
        values = []
        for one in each:
            figure: Any = one
            for name in where:
                figure = figure[name]
            values.append(figure["value"])
        return mean(values).to_json() | {"seeds": values}

    return {
        drawing: {
            name: {split: {what: pooled(drawing, name, split, what) for what in figures}
                   for split, figures in own.items()}
            for name, own in kinds.items()
        }
        for drawing, kinds in each[0].items()
    }  # fmt: skip


def _of_drawing(runs: dict[str, dict[str, Dataset]]) -> dict[str, dict[str, Any]]:
    played = {n: {split: data.read() for split, data in own.items()} for n, own in runs.items()}
    found: dict[str, dict[str, Any]] = {}
    for name, own in played.items():
        _, network, count = name.split("/")
        base = played[f"{TOLD}/{_TWIN.get(network, network)}/{count}"]
        found[name] = {
            split: {
                "return": ratio(batch.returns, batch.oracle_return).to_json(),
                "of told": ratio(batch.returns, base[split].returns).to_json(),
            }
            for split, batch in own.items()
        }
    return found


def _judge(scale: Scale, found: Found) -> list[str]:
    lines = []
    most = max(scale.watched)
    for drawing, own in found.items():
        for network in scale.networks:
            one = own[f"{THROUGH}/{network}/{most}"]
            for split in SPLITS:
                share = one[split]["of told"]
                if share["low"] is None:
                    lines.append(f"{drawing}, {network}, {split}: told it earns nothing: open.")
                    continue
                holds, fails = share["low"] >= ENOUGH, share["high"] < ENOUGH
                lines.append(
                    f"{drawing}, {network}, {split}, {most:,} episodes watched: through the learnt "
                    f"abstraction {told(one[split]['return'])} of the omniscient return, "
                    f"{told(share)} of the same network told the variables: "
                    f"{of_the_claim(verdict(holds, fails))}."
                )
        for split in SPLITS:
            figures = ", ".join(
                f"{level} {told(own[f'{level}/plain-raw/{most}'][split]['return'])}"
                for level in (RAW, EXPLAINED)
            )
            lines.append(f"{drawing}, {split}: {figures}.")
    return lines


def _draw(scale: Scale, found: Found) -> Figure:
    figure, axes = panels(len(found), 2, 8.0, 3.0 * len(found), sharey=True)
    for row, (drawing, own) in zip(axes, found.items(), strict=True):
        for ax, split in zip(row, SPLITS, strict=True):
            kinds = dict.fromkeys(name.rpartition("/")[0] for name in own)
            for place, kind in enumerate(kinds):
                points = [own[f"{kind}/{count}"][split]["return"] for count in scale.watched]
                colour = (BLUE, ORANGE, GREEN, RED, INK, GREY)[place % 6]
                curve(ax, scale.watched, points, color=colour, label=kind.replace("/", ", "))
            ax.axhline(0, color=GREY, linewidth=0.8)
            log_scale(ax)
            ax.set_title(f"{drawing}, {split}")
            ax.set_xlabel("episodes watched")
        row[0].set_ylabel("return, of the omniscient")
    legend_above(figure, axes[0, 0], 4)
    return figure


STUDY = Study(
    name="levels",
    claim="""Who watched others experiment on systems that are only shown, and reads them through an
        abstraction learnt from logs alone, acts on unseen systems at least 0.9 as well as the same
        network told the variables.""",
    design="""World raw: systems of dag, shown as pictures or mixtures. An abstraction is learnt
        from random play, from which knob was set to what. Networks imitate an expert on the same
        systems: told the variables; reading them through the abstraction; end to end from what
        is shown (principal components); and end to end with the graph as an explanation to
        predict. By episodes watched, on systems like the watched and on the held-out link.""",
    refuted_if="""through the abstraction the return is less than 0.9 of that of the same network
        told the variables, by the interval over the same systems, at the largest amount
        watched.""",
    measures="""Return as a share of the omniscient one, and of the told network's on the same
        systems and noise; 95 % bootstrap intervals over systems, or of several seeds Student's over
        these.""",
    scales=SCALES,
    play=_play,
    parts={"level": _level},
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Return by episodes watched, by what is read",
)
