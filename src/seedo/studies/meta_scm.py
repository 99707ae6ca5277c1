"""Study `meta-scm`: what is learnt from sentences about causal facts, and what from episodes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import learning, play
from seedo.episodes import EXPLORE, Dataset, EpisodeBatch
from seedo.evaluation import BAYES, HEURISTICS, episode_returns, read
from seedo.experimenters import scripted
from seedo.language import TextAgent, learn_by_reading, open_scene, record_speaker
from seedo.language.measures import read_by_speaker
from seedo.language.text import Line, Tell, mean_tokens, tell_episode
from seedo.statistics import Estimate, power, ratio, ratios
from seedo.studies._bars import bar_figure
from seedo.studies._familiar import FamiliarScene, FamiliarWorld, tell_facts
from seedo.studies._stages import stage
from seedo.studies._study import Study, Work
from seedo.studies._words import of_the_claim, over_seeds, told, verdict
from seedo.worlds import DagWorld

N = EXPERIMENTS = 3
WORLD: dict[str, Any] = {"noise_variance": 0.25, "do_values": (2.0, 4.0)}
"""What an experiment shows is clear beside weights of variance 1, and its sign is that of the
effect. With -2 and 2 it has to be multiplied by that of the value, which networks of this size had
not learnt after 4.6 million tokens: they set the right variable, to the wrong value half the time.
"""
CORPORA: dict[str, dict[str, float]] = {
    "about": {"about": 1.0},
    "episodes": {"episodes": 1.0},
    "both": {"about": 0.5, "episodes": 0.5},
}
"""Shares of the tokens that a model reads."""
TELLS: dict[str, Tell] = {"about": tell_facts, "episodes": tell_episode}
WATCHED = {"about": "none+expert", "episodes": "expert"}
"""Whose episodes the texts are made of: one that only observes before it acts; one that tests every
variable."""
CELLS = {
    "familiar, 0": ("familiar", 0),
    "familiar, 3": ("familiar", EXPERIMENTS),
    "new, 0": ("new", 0),
    "new, 3": ("new", EXPERIMENTS),
}
SCENES = {"familiar": FamiliarScene, "new": open_scene}
"""How an episode is put into words, by whose systems it shows."""
GIVEN = "new, 3 given"
"""New systems in which another has made the experiments."""
RIVAL = "largest-effect"
"""Whose experiments (every variable once, in random order) heuristics and Bayes read, and those of
`GIVEN`."""
MARGIN = 0.1
"""Share of the omniscient return that experiments must add to count as discovery."""
RECITED = 0.5
"""Share of it that must be reached without experiments to count as recitation."""
MALFORMED = 0.05
"""Share of replies up to which a model counts as able to speak: more, and failing says nothing."""
STEP_TOKENS = 1850
LEARNING_RATE = 4e-3
_SAMPLED = 512
_HELD_OUT = 1 / 20  # of the logs, by `learning.learn`


@dataclass(frozen=True)
class Scale:
    """How much is run."""

    corpora: tuple[str, ...]  # of `CORPORA`
    tokens: int  # that every model reads
    widths: tuple[tuple[str, int], ...]  # of its network
    test_episodes: int  # of every run
    seeds: int  # independent models of each corpus


TINY = (("size", 64), ("layers", 3), ("heads", 4), ("inner", 160), ("longest", 256))
Returns = dict[str, NDArray[np.float64]]
"""float64[B] by who exploits after one player's experiments: "agent" (that player), "oracle",
"random", "bayes" and the heuristics; "malformed" and "replies" of a model are counts."""


class Learner(NamedTuple):
    """A model: how many tokens it read, and what it did in every cell."""

    tokens: float
    cells: dict[str, Returns]


class Played(NamedTuple):
    """Models by corpus, and the returns of those who read the rival's experiments, by cell."""

    models: dict[str, list[Learner]]
    references: dict[str, Returns]


def _play(work: Work[Scale]) -> Played:
    stages = _stages(work)
    rivals = {cell: _rival(work, stages, cell) for cell in ("familiar, 3", "new, 3")}
    found: dict[str, list[Learner]] = {}
    seeds = [own.seed for own in work.seeds(work.scale.seeds)]
    keys: list[Any] = [list(key) for key in product(work.scale.corpora, seeds)]
    for (corpus, _), learner in zip(keys, work.each("learner", keys), strict=True):
        found.setdefault(corpus, []).append(learner)
    return Played(found, {cell: _returns(work, run) for cell, run in rivals.items()})


def _stages(work: Work[Scale]) -> dict[str, DagWorld]:
    """The world of each of `CELLS`; the familiar system is the same for all learners."""
    return {
        cell: FamiliarWorld(work.seed, N, experiments=experiments, **WORLD)
        if place == "familiar"
        else stage("dag", n=N, experiments=experiments, **WORLD)
        for cell, (place, experiments) in CELLS.items()
    }


def _rival(work: Work[Scale], stages: Mapping[str, DagWorld], cell: str) -> Dataset:
    folder = f"runs/{RIVAL}-{_file(cell)}"
    return work.played(stages[cell], scripted(RIVAL), work.scale.test_episodes, folder, True)


def _learner(work: Work[Scale], key: Any) -> Learner:
    """Who has read a corpus, with a seed of its own; the logs and tests are the same for all."""
    corpus, seed = key
    scale, stages, label = work.scale, _stages(work), f"{corpus}-{seed}"
    sources = {"about": stages["familiar, 3"], "episodes": stages["new, 3"]}
    logs, batch_size = _watched(work, corpus, sources)
    work.say(f"{label}: reading {scale.tokens:,} tokens")
    recipe = learning.Recipe(
        network="text", epochs=1.0, explanations="predict", learning_rate=LEARNING_RATE,
        weight_decay=0.01, batch_size=batch_size, widths=scale.widths, seed=seed,
    )  # fmt: skip
    agent = learn_by_reading(
        [run.path for run in logs.values()], work.out / "agents" / label, recipe,
        resume=True, tell=_tell,
    )  # fmt: skip
    cells = {cell: _tested(work, agent, label, cell, stages[cell]) for cell in CELLS}
    rival = _rival(work, stages, "new, 3")
    cells[GIVEN] = _given(work, agent, label, rival, stages["new, 3"])
    for cell, returns in cells.items():
        work.say(f"{label}, {cell}: {_share([returns]).value:.3f}")
    return Learner(_read_tokens(agent, logs), cells)


# -- what is read ---------------------------------------------------------------------------------


def _watched(
    work: Work[Scale], corpus: str, sources: Mapping[str, DagWorld]
) -> tuple[dict[str, Dataset], int]:
    """The logs of a corpus, and how many rows of them make a minibatch of `STEP_TOKENS`."""
    players = {source: scripted(WATCHED[source]) for source in CORPORA[corpus]}

    def sampled(source: str) -> float:
        some = play.episodes(
            sources[source], players[source], work.seed, "watch", 0, _SAMPLED, explain="effects"
        )
        return mean_tokens(some, True, _tell)

    each = {
        source: work.numbers(
            f"logs/{source}.json", {"source": source, "seed": work.seed, "rows": _SAMPLED},
            partial(sampled, source),
        )
        for source in CORPORA[corpus]
    }  # fmt: skip
    rows, batch_size = sizes(work.scale.tokens, CORPORA[corpus], each)
    logs = {
        source: work.watched(
            sources[source], players[source], count, f"logs/{source}-{count}", "effects"
        )
        for source, count in rows.items()
    }
    return logs, batch_size


def sizes(
    tokens: int, shares: Mapping[str, float], each: Mapping[str, float]
) -> tuple[dict[str, int], int]:
    """Rows of every source, those to be held out included, and rows of a minibatch.

    Args:
        tokens: to be read in one pass. shares: of the tokens, by source.
        each: mean tokens of a row, by source.
    """
    read = {source: tokens * share / each[source] for source, share in shares.items()}
    rows = {source: round(count / (1 - _HELD_OUT)) for source, count in read.items()}
    return rows, max(1, round(STEP_TOKENS * sum(read.values()) / tokens))


def _tell(batch: EpisodeBatch, row: int, rng: np.random.Generator, explained: bool) -> list[Line]:
    """A row of a log as its corpus tells it."""
    source = "about" if batch.origin.world == FamiliarWorld.name else "episodes"
    return TELLS[source](batch, row, rng, explained)


def _read_tokens(agent: TextAgent, logs: Mapping[str, Dataset]) -> float:
    """How many tokens a model has read, from its training record and a sample of its logs."""
    each = [mean_tokens(run.read_shard(0).take(slice(0, _SAMPLED)), True, _tell)
            for run in logs.values()]  # fmt: skip
    rows = [run.rows for run in logs.values()]
    mean = sum(r * e for r, e in zip(rows, each, strict=True)) / sum(rows)
    return float(agent.training["episodes"] * mean)


# -- what they did --------------------------------------------------------------------------------


def _file(cell: str) -> str:
    return cell.replace(", ", "-")


def _tested(work: Work[Scale], agent: TextAgent, label: str, cell: str, world: DagWorld) -> Returns:
    """A model in one of `CELLS`; its run is found again if it is there."""
    folder = work.out / "runs" / f"{label}-{_file(cell)}"
    run = record_speaker(
        world, agent, work.scale.test_episodes, work.seed, folder, resume=True,
        opened=SCENES[CELLS[cell][0]], meter=agent,
    )  # fmt: skip
    work.runs.append(str(folder))
    text = (folder / "conversations.jsonl").read_text(encoding="utf-8")
    said = [json.loads(line) for line in text.split("\n") if line]
    malformed = np.array([len(line["malformed"]) for line in said], np.float64)
    replies = np.array([line["replies"] for line in said], np.float64)
    return _returns(work, run) | {"malformed": malformed, "replies": replies}


def _returns(work: Work[Scale], run: Dataset) -> Returns:
    """Returns of the player, and of those who read its experiments, from the log alone."""

    def compute() -> Returns:
        batch = run.read(without=[name for name in run.optional if name != "system"])
        experimented = (batch.phase == EXPLORE).any()
        return episode_returns(batch, read(batch) if experimented else "no experiments to read")

    file = f"returns/{run.path.name}.npz"
    return work.arrays(file, {"log": run.manifest_hash}, compute)


def _given(
    work: Work[Scale], agent: TextAgent, label: str, run: Dataset, world: DagWorld
) -> Returns:
    """What a model makes of another's experiments."""

    def compute() -> Returns:
        batch = run.read(without=run.optional)
        found = read_by_speaker(batch, agent, world=world)
        malformed = found.malformed.astype(np.float64)
        acted = (found.targets >= 0).sum(1)
        return {"agent": found.returns, "oracle": batch.oracle_return.astype(np.float64),
                "malformed": malformed, "replies": malformed + acted}  # fmt: skip

    question = {"log": run.manifest_hash, "agent": agent.training["weights_sha256"]}
    return work.arrays(f"returns/{label}-given.npz", question, compute)


# -- analysis -------------------------------------------------------------------------------------


def analyse(
    found: Mapping[str, list[Learner]], references: Mapping[str, Returns]
) -> dict[str, Any]:
    """Put all models side by side.

    Args:
        found: by corpus, `about` and `episodes` among them, its models, tested on the same systems.
        references: by cell, who reads the rival's experiments.

    Returns:
        shares: of the omniscient return, by corpus and cell: mean over models, interval over
            systems; by_model: the same, one number a model.
        malformed: share of replies, by corpus and cell.
        of_bayes: return on new systems by that of the Bayes-optimal reader of the same experiments.
        gains: what experiments add on new systems, by corpus and whose they are; paired by system.
        apart: `episodes` less `about` on new systems with experiments; paired by system.
        references: shares of those who read the rival's experiments, by cell; best: the best
            heuristic among them.
        tokens: read, by corpus, one number a model.
        power: of the comparison `apart`.
        judgement: see `judge`.
    """
    by_cell = {
        corpus: {cell: [m.cells[cell] for m in models] for cell in models[0].cells}
        for corpus, models in found.items()
    }

    def each(of: Callable[[list[Returns]], Any]) -> dict[str, dict[str, Any]]:
        """By corpus and cell."""
        return {c: {cell: of(models) for cell, models in own.items()} for c, own in by_cell.items()}

    shares = each(_share)
    malformed = each(lambda models: ratio(_mean(models, "malformed"), _mean(models, "replies")))
    gains = {
        c: {cell: _difference(own[cell], own["new, 0"]) for cell in ("new, 3", GIVEN)}
        for c, own in by_cell.items()
    }
    new = {corpus: own["new, 3"] for corpus, own in by_cell.items()}
    ranked = {cell: _references(own) for cell, own in references.items()}
    paired = _mean(new["episodes"], "agent") - _mean(new["about"], "agent")
    spread = float(paired.std(ddof=1) / _mean(new["episodes"], "oracle").mean())
    spoken = max(malformed["about"][cell].value or 0.0 for cell in ("new, 3", GIVEN))
    return {
        "shares": shares,
        "by_model": each(lambda models: [_share([one]).value or 0.0 for one in models]),
        "malformed": malformed,
        "of_bayes": {c: ratio(_mean(m, "agent"), _mean(m, BAYES)) for c, m in new.items()},
        "gains": gains,
        "apart": _difference(new["episodes"], new["about"]),
        "references": ranked,
        "best": {
            cell: max(HEURISTICS, key=lambda name: own[name].value or 0.0)
            for cell, own in ranked.items()
        },
        "tokens": {corpus: [m.tokens for m in models] for corpus, models in found.items()},
        "power": power(len(paired), spread),
        "judgement": judge(shares["about"]["familiar, 0"], gains, spoken),
    }


def _judge(_: Scale, values: Mapping[str, Any]) -> list[str]:
    lines = []
    for corpus, own in values["shares"].items():
        by_cell = "; ".join(f"{cell} {told(e)}" for cell, e in own.items())
        worst = max(e.value or 0.0 for e in values["malformed"][corpus].values())
        lines.append(
            f"Read {corpus} ({np.mean(values['tokens'][corpus]):,.0f} tokens): {by_cell}. On new "
            f"systems {told(values['of_bayes'][corpus])} of what Bayes makes of the same "
            f"experiments, over models {over_seeds(values['by_model'][corpus]['new, 3'])}; "
            f"malformed replies at most {worst:.1%}."
        )
    for cell, by_name in values["references"].items():
        names = ["random", values["best"][cell], *([BAYES] if BAYES in by_name else [])]
        each = ", ".join(f"{name} {told(by_name[name])}" for name in names)
        lines.append(f"On {cell} experiments: {each}, omniscient 1.")
    for corpus, own in values["gains"].items():
        lines.append(
            f"On new systems {corpus} gains {told(own['new, 3'])} by experiments of its own, "
            f"{told(own[GIVEN])} by given ones."
        )
    word = of_the_claim(values["judgement"])
    ending = f"Episodes less about on new systems: {told(values['apart'])}. This {word}."
    return [*lines, values["power"].line, ending]


def _mean(models: list[Returns], who: str) -> NDArray[np.float64]:
    """float64[B]: over models of one corpus."""
    values: NDArray[np.float64] = np.mean([own[who] for own in models], axis=0)
    return values


def _share(models: list[Returns]) -> Estimate:
    return ratio(_mean(models, "agent"), _mean(models, "oracle"))


def _difference(first: list[Returns], second: list[Returns]) -> Estimate:
    """Of two shares on the same systems, paired by system."""
    return ratio(_mean(first, "agent") - _mean(second, "agent"), _mean(first, "oracle"))


def _references(own: Returns) -> dict[str, Estimate]:
    names = ["random", *HEURISTICS, *([BAYES] if np.isfinite(own[BAYES]).any() else [])]
    return dict(
        zip(names, ratios([own[n] for n in names], [own["oracle"]] * len(names)), strict=True)
    )


def judge(recited: Estimate, gains: Mapping[str, Mapping[str, Estimate]], malformed: float) -> str:
    """`supports`, `refutes` or `leaves open`, by the intervals of what the claim names.

    Args:
        recited: share of the model of facts on familiar systems without experiments.
        gains: by corpus ("about", "episodes") and whose experiments they are.
        malformed: share of the replies of the model of facts to experiments.
    """
    bounded = [(recited, RECITED, True), (gains["episodes"]["new, 3"], MARGIN, True)]
    bounded += [(gain, MARGIN, False) for gain in gains["about"].values()]
    supported, refuted = [malformed <= MALFORMED], []
    for estimate, bound, above in bounded:
        if estimate.low is None or estimate.high is None:
            return "leaves open"
        over, under = estimate.low > bound, estimate.high < bound
        supported.append(over if above else under)
        refuted.append(under if above else over)
    return verdict(all(supported), any(refuted))


def _draw(_: Scale, values: Mapping[str, Any]) -> Figure:
    best = values["references"]["new, 3"][values["best"]["new, 3"]].value or 0.0
    label = "share of the omniscient return"
    return bar_figure(values["by_model"], tuple(CELLS), label, 0.0, best)


STUDY = Study(
    name="meta-scm",
    claim="""A text model that has read sentences about causal facts can recite them but not
        discover: it knows correlations of facts (a meta-SCM; Zecevic et al. 2023, 'Causal
        parrots'). One of equal size that has read as many tokens of others' experiments has a
        strategy that works on new systems (Lampinen et al. 2023).""",
    design="""Small Llama networks from scratch, equal tokens and steps. `about`: facts of one
        linear system over 12 named variables, three at a time (total effects of each on the others,
        a goal, the best action), observations and no experiments. `episodes`: transcripts of an
        expert that makes three experiments on ever new systems of three variables and then acts on
        a goal, with names drawn afresh, effects told afterwards. `both`: half and half. Tested on
        sub-systems of the familiar system, names true, and on new ones, names meaningless, with 0
        and 3 experiments, and with 3 that another made; the same systems and noise for every model;
        exact expected returns as shares of the omniscient one.""",
    refuted_if=f"""on new systems experiments, its own or given ones, add more than {MARGIN} of the
        omniscient return to what the model of facts reaches, or less than {MARGIN} to what the
        model of episodes reaches; or the model of facts reaches less than {RECITED} on familiar
        systems without experiments. Each by its 95 % interval; one that holds its bound leaves the
        claim open, and so do more than {MALFORMED:.0%} malformed replies of the model of facts: it
        must fail for what it knows, not for how it speaks.""",
    measures="""shares of the omniscient return, exact in every episode: by corpus and (systems,
        experiments); gains: what experiments add to them on new systems""",
    scales={
        "quick": Scale(("about", "episodes"), 3_500_000, TINY, 512, 1),
        "medium": Scale(("about", "episodes"), 3_500_000, TINY, 1024, 3),
        "full": Scale(("about", "episodes", "both"), 12_000_000, TINY, 2048, 3),
    },
    play=_play,
    parts={"learner": _learner},
    measure=lambda work, found: analyse(found.models, found.references),
    judge=_judge,
    draw=_draw,
    shows="Shares of the omniscient return, by corpus and what is tested",
)
