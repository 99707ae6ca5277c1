"""Study `meta-scm`: what is learnt from sentences about causal facts, and what from episodes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedo import learning, play, worlds
from seedo.episodes import EXPLORE, Dataset, EpisodeBatch
from seedo.evaluation import _metrics, _strategies
from seedo.evaluation._strategies import BAYES, HEURISTICS
from seedo.experimenters import scripted
from seedo.language import TextAgent, learn_by_reading, open_scene, record_speaker
from seedo.language.measures import read_by_speaker
from seedo.language.text import Line, Tell, mean_tokens, tell_episode
from seedo.statistics._comparisons import Power, power
from seedo.statistics._intervals import Estimate, ratio, ratios
from seedo.studies._bars import bar_figure
from seedo.studies._familiar import FamiliarScene, FamiliarWorld, tell_facts
from seedo.studies._in_rooms import interval
from seedo.studies._protocol import Outcome, Say, Study
from seedo.studies._stages import kept_arrays, kept_numbers, played
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
    """How much is run.

    Attributes:
        corpora: of `CORPORA`.
        tokens: that every model reads.
        widths: of its network.
        test_episodes: of every run. seeds: independent models of each corpus.
    """

    corpora: tuple[str, ...]
    tokens: int
    widths: tuple[tuple[str, int], ...]
    test_episodes: int
    seeds: int


TINY = (("size", 64), ("layers", 3), ("heads", 4), ("inner", 160), ("longest", 256))
SCALES = {
    "quick": Scale(("about", "episodes"), 3_500_000, TINY, 512, 1),
    "full": Scale(("about", "episodes", "both"), 12_000_000, TINY, 2048, 3),
}

Returns = dict[str, NDArray[np.float64]]
"""float64[B] by who exploits after one player's experiments: "agent" (that player), "oracle",
"random", "bayes" and the heuristics; "malformed" and "replies" of a model are counts."""


class Learner(NamedTuple):
    """A model: how many tokens it read, and what it did in every cell."""

    tokens: float
    cells: dict[str, Returns]


def _carry_out(scale: Scale, out: Path, seed: int, say: Say) -> Outcome:
    stages: dict[str, DagWorld] = {
        cell: FamiliarWorld(seed, N, experiments=experiments, **WORLD)
        if place == "familiar"
        else worlds.make("dag", n=N, experiments=experiments, **WORLD)
        for cell, (place, experiments) in CELLS.items()
    }
    rivals = {
        cell: played(stages[cell], scripted(RIVAL), scale.test_episodes, seed,
                     out / "runs" / f"{RIVAL}-{_file(cell)}", say)
        for cell in ("familiar, 3", "new, 3")
    }  # fmt: skip
    references = {cell: _returns(run, out) for cell, run in rivals.items()}
    sources = {"about": stages["familiar, 3"], "episodes": stages["new, 3"]}
    found: dict[str, list[Learner]] = {}
    for corpus in scale.corpora:
        logs, batch_size = _watched(corpus, scale.tokens, sources, out, seed, say)
        for at in range(seed, seed + scale.seeds):
            label = f"{corpus}-{at}"
            say(f"{label}: reading {scale.tokens:,} tokens")
            recipe = learning.Recipe(
                network="text", epochs=1.0, explanations="predict", learning_rate=LEARNING_RATE,
                weight_decay=0.01, batch_size=batch_size, widths=scale.widths, seed=at,
            )  # fmt: skip
            agent = learn_by_reading(
                list(logs.values()), out / "agents" / label, recipe, resume=True, tell=_tell
            )
            tokens = _read_tokens(agent, logs)
            cells = _tested(agent, label, stages, scale.test_episodes, seed, out, say)
            cells[GIVEN] = _given(agent, label, rivals["new, 3"], stages["new, 3"], out)
            say(f"{label}, {GIVEN}: {_share([cells[GIVEN]]).value:.3f}")
            found.setdefault(corpus, []).append(Learner(tokens, cells))
    analysis = analyse(found, references)
    say(analysis.power.line)
    best = analysis.references["new, 3"][analysis.best["new, 3"]].value or 0.0
    figure = bar_figure(
        out / "figure.svg", analysis.by_model, tuple(CELLS), "share of the omniscient return",
        0.0, best,
    )  # fmt: skip
    runs = [*(str(run.path) for run in rivals.values())]
    runs += [
        str(out / "runs" / f"{corpus}-{at}-{_file(cell)}")
        for corpus in scale.corpora
        for at in range(seed, seed + scale.seeds)
        for cell in CELLS
    ]
    return Outcome(
        measure=(
            "shares of the omniscient return, exact in every episode: by corpus and (systems, "
            "experiments); gains: what experiments add to them on new systems"
        ),
        values=analysis.to_json(),
        verdict=analysis.verdict,
        runs=runs,
        figures=[figure],
    )


# -- what is read ---------------------------------------------------------------------------------


def _watched(
    corpus: str, tokens: int, sources: Mapping[str, DagWorld], out: Path, seed: int, say: Say
) -> tuple[dict[str, Path], int]:
    """The logs of a corpus, and how many rows of them make a minibatch of `STEP_TOKENS`."""
    players = {source: scripted(WATCHED[source]) for source in CORPORA[corpus]}

    def sampled(source: str) -> float:
        some = play.episodes(
            sources[source], players[source], seed, "watch", 0, _SAMPLED, explain="effects"
        )
        return mean_tokens(some, True, _tell)

    each = {
        source: kept_numbers(
            out / "logs" / f"{source}.json",
            {"source": source, "seed": seed, "rows": _SAMPLED},
            partial(sampled, source),
        )
        for source in CORPORA[corpus]
    }
    rows, batch_size = sizes(tokens, CORPORA[corpus], each)
    logs = {source: out / "logs" / f"{source}-{count}" for source, count in rows.items()}
    for source, folder in logs.items():
        say(f"{corpus}: {rows[source]:,} expert episodes of {each[source]:.1f} tokens ({source})")
        play.watch(
            sources[source], players[source], rows[source], seed, folder, resume=True,
            explain="effects",
        )  # fmt: skip
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
    return TELLS[_source(batch.origin.world)](batch, row, rng, explained)


def _source(world: str) -> str:
    return "about" if world == FamiliarWorld.name else "episodes"


def _read_tokens(agent: TextAgent, logs: Mapping[str, Path]) -> float:
    """How many tokens a model has read, from its training record and a sample of its logs."""
    rows = {source: Dataset(path).rows for source, path in logs.items()}
    each = {s: mean_tokens(Dataset(p).read_shard(0).take(slice(0, _SAMPLED)), True, _tell)
            for s, p in logs.items()}  # fmt: skip
    mean = sum(rows[s] * each[s] for s in rows) / sum(rows.values())
    return float(agent.training["episodes"] * mean)


# -- what they did --------------------------------------------------------------------------------


def _file(cell: str) -> str:
    return cell.replace(", ", "-")


def _tested(
    agent: TextAgent,
    label: str,
    stages: Mapping[str, DagWorld],
    episodes: int,
    seed: int,
    out: Path,
    say: Say,
) -> dict[str, Returns]:
    """A model in all cells of `CELLS`; its runs are found again if they are there."""
    cells = {}
    for cell, world in stages.items():
        folder = out / "runs" / f"{label}-{_file(cell)}"
        opened = FamiliarScene if isinstance(world, FamiliarWorld) else open_scene
        run = record_speaker(world, agent, episodes, seed, folder, resume=True, opened=opened)
        text = (folder / "conversations.jsonl").read_text(encoding="utf-8")
        said = [json.loads(line) for line in text.split("\n") if line]
        malformed = np.array([len(line["malformed"]) for line in said], np.float64)
        replies = np.array([line["replies"] for line in said], np.float64)
        cells[cell] = _returns(run, out) | {"malformed": malformed, "replies": replies}
        say(f"{label}, {cell} experiments: {_share([cells[cell]]).value:.3f}")
    return cells


def _returns(run: Dataset, out: Path) -> Returns:
    """Returns of the player, and of those who read its experiments, from the log alone."""

    def compute() -> Returns:
        batch = run.read(without=[name for name in run.optional if name != "system"])
        experimented = (batch.phase == EXPLORE).any()
        readings = _strategies.read(batch) if experimented else "no experiments to read"
        return _metrics.episode_returns(batch, readings)

    file = out / "returns" / f"{run.path.name}.npz"
    return kept_arrays(file, {"log": run.manifest_hash}, compute)


def _given(agent: TextAgent, label: str, run: Dataset, world: DagWorld, out: Path) -> Returns:
    """What a model makes of another's experiments."""

    def compute() -> Returns:
        batch = run.read(without=run.optional)
        read = read_by_speaker(batch, agent, world=world)
        malformed = read.malformed.astype(np.float64)
        acted = (read.targets >= 0).sum(1)
        return {"agent": read.returns, "oracle": batch.oracle_return.astype(np.float64),
                "malformed": malformed, "replies": malformed + acted}  # fmt: skip

    question = {"log": run.manifest_hash, "agent": agent.training["weights_sha256"]}
    return kept_arrays(out / "returns" / f"{label}-given.npz", question, compute)


# -- analysis -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Analysis:
    """What the returns of all models say.

    Attributes:
        shares: of the omniscient return, by corpus and cell: mean over models, interval over
            systems. by_model: the same, one number a model.
        malformed: share of replies, by corpus and cell.
        of_bayes: return on new systems by that of the Bayes-optimal reader of the same experiments.
        gains: what experiments add on new systems, by corpus and whose they are; paired by system.
        apart: `episodes` less `about` on new systems with experiments; paired by system.
        references: shares of those who read the rival's experiments, by cell. best: the best
            heuristic among them.
        tokens: read, by corpus, one number a model.
        power: of the comparison `apart`.
        judgement: `supports`, `refutes` or `leaves open`.
    """

    shares: dict[str, dict[str, Estimate]]
    by_model: dict[str, dict[str, list[float]]]
    malformed: dict[str, dict[str, Estimate]]
    of_bayes: dict[str, Estimate]
    gains: dict[str, dict[str, Estimate]]
    apart: Estimate
    references: dict[str, dict[str, Estimate]]
    best: dict[str, str]
    tokens: dict[str, list[float]]
    power: Power

    @property
    def judgement(self) -> str:
        spoken = [self.malformed["about"][cell].value or 0.0 for cell in ("new, 3", GIVEN)]
        return judge(self.shares["about"]["familiar, 0"], self.gains, max(spoken))

    def to_json(self) -> dict[str, Any]:
        fields: dict[str, Any] = _plain(vars(self))
        return fields | {"judgement": self.judgement}

    @property
    def verdict(self) -> str:
        """The figures in sentences."""
        lines = []
        for corpus, own in self.shares.items():
            by_cell = "; ".join(f"{cell} {_said(e)}" for cell, e in own.items())
            worst = max(e.value or 0.0 for e in self.malformed[corpus].values())
            lines.append(
                f"Read {corpus} ({np.mean(self.tokens[corpus]):,.0f} tokens): {by_cell}. On new "
                f"systems {_said(self.of_bayes[corpus])} of what Bayes makes of the same "
                f"experiments, over models {interval(self.by_model[corpus]['new, 3'])}; malformed "
                f"replies at most {worst:.1%}."
            )
        for cell, by_name in self.references.items():
            names = ["random", self.best[cell], *([BAYES] if BAYES in by_name else [])]
            told = ", ".join(f"{name} {_said(by_name[name])}" for name in names)
            lines.append(f"On {cell} experiments: {told}, omniscient 1.")
        for corpus, own in self.gains.items():
            lines.append(
                f"On new systems {corpus} gains {_said(own['new, 3'])} by experiments of its own, "
                f"{_said(own[GIVEN])} by given ones."
            )
        lines.append(self.power.line)
        ending = {
            "supports": "supports the claim",
            "refutes": "refutes the claim",
            "leaves open": "leaves the claim open",
        }[self.judgement]
        lines.append(f"Episodes less about on new systems: {_said(self.apart)}. This {ending}.")
        return "\n".join(lines)


def analyse(found: Mapping[str, list[Learner]], references: Mapping[str, Returns]) -> Analysis:
    """Put all models side by side.

    Args:
        found: by corpus, `about` and `episodes` among them, its models, tested on the same systems.
        references: by cell, who reads the rival's experiments.
    """
    by_cell = {
        corpus: {cell: [m.cells[cell] for m in models] for cell in models[0].cells}
        for corpus, models in found.items()
    }
    ranked = {cell: _references(own) for cell, own in references.items()}
    apart = (by_cell["episodes"]["new, 3"], by_cell["about"]["new, 3"])
    paired = _mean(apart[0], "agent") - _mean(apart[1], "agent")
    spread = float(paired.std(ddof=1) / _mean(apart[0], "oracle").mean())
    return Analysis(
        shares={c: {cell: _share(r) for cell, r in own.items()} for c, own in by_cell.items()},
        by_model={
            c: {cell: [_share([r]).value or 0.0 for r in rs] for cell, rs in own.items()}
            for c, own in by_cell.items()
        },
        malformed={
            c: {cell: ratio(_mean(r, "malformed"), _mean(r, "replies")) for cell, r in own.items()}
            for c, own in by_cell.items()
        },
        of_bayes={
            c: ratio(_mean(own["new, 3"], "agent"), _mean(own["new, 3"], BAYES))
            for c, own in by_cell.items()
        },
        gains={
            c: {cell: _difference(own[cell], own["new, 0"]) for cell in ("new, 3", GIVEN)}
            for c, own in by_cell.items()
        },
        apart=_difference(*apart),
        references=ranked,
        best={cell: _best(own) for cell, own in ranked.items()},
        tokens={corpus: [m.tokens for m in models] for corpus, models in found.items()},
        power=power(len(paired), spread),
    )


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


def _best(shares: Mapping[str, Estimate]) -> str:
    """The best heuristic."""
    return max(HEURISTICS, key=lambda name: shares[name].value or 0.0)


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
    return "refutes" if any(refuted) else "supports" if all(supported) else "leaves open"


def _said(estimate: Estimate) -> str:
    if estimate.value is None:
        return f"unknown ({estimate.reason})"
    if estimate.low is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _plain(value: Any) -> Any:
    if isinstance(value, Estimate | Power):
        return value.to_json()
    return {k: _plain(v) for k, v in value.items()} if isinstance(value, dict) else value


STUDY = Study(
    name="meta-scm",
    claim=(
        "A text model that has read sentences about causal facts can recite them but not discover: "
        "it knows correlations of facts (a meta-SCM; Zecevic et al. 2023, 'Causal parrots'). One "
        "of equal size that has read as many tokens of others' experiments has a strategy that "
        "works on new systems (Lampinen et al. 2023)."
    ),
    design=(
        "Small Llama networks from scratch, equal tokens and steps. `about`: facts of one linear "
        "system over 12 named variables, three at a time (total effects of each on the others, a "
        "goal, the best action), observations and no experiments. `episodes`: transcripts of "
        "an expert that makes three experiments on ever new systems of three variables and then "
        "acts on a goal, with names drawn afresh, effects told afterwards. `both`: half and half. "
        "Tested on sub-systems of the familiar system, names true, and on new ones, names "
        "meaningless, with 0 and 3 experiments, and with 3 that another made; the same systems and "
        "noise for every model; exact expected returns as shares of the omniscient one."
    ),
    refuted_if=(
        f"on new systems experiments, its own or given ones, add more than {MARGIN} of the "
        f"omniscient return to what the model of facts reaches, or less than {MARGIN} to what the "
        f"model of episodes reaches; or the model of facts reaches less than {RECITED} on familiar "
        "systems without experiments. Each by its 95 % interval; one that holds its bound leaves "
        f"the claim open, and so do more than {MALFORMED:.0%} malformed replies of the model of "
        "facts: it must fail for what it knows, not for how it speaks."
    ),
    scales=SCALES,
    carry_out=_carry_out,
)
