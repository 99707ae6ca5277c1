"""Study `text-explanations`: does reading why make a strategy be learnt from fewer words?"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from seedo import evaluation, learning, play, worlds
from seedo.episodes import Dataset
from seedo.experimenters import scripted
from seedo.language import learn_by_reading, record_speaker
from seedo.language.text import mean_tokens
from seedo.statistics import mean, power
from seedo.studies._bars import bar_figure
from seedo.studies._study import Study, Work
from seedo.studies._words import over_seeds, supports, told

ARMS = {"with": "predict", "without": "none"}
_SAMPLED = 512


@dataclass(frozen=True)
class Scale:
    """How much is run."""

    n: int  # variables
    split: str | None  # that is tested beside `train`, if any
    noise: float  # its variance; under 1, an experiment shows more
    batch_size: int  # episodes a step
    tokens: int  # that every model reads
    widths: tuple[tuple[str, int], ...]  # of its network
    test_episodes: int  # of every run
    seeds: int  # independent models of each arm

    @property
    def splits(self) -> tuple[str, ...]:
        return ("train", *([self.split] if self.split else []))


TINY = (("size", 64), ("layers", 3), ("heads", 4), ("inner", 160), ("longest", 256))


class Played(NamedTuple):
    """Runs by arm and split, and tokens read by arm, one a seed each."""

    runs: dict[str, dict[str, list[Dataset]]]
    tokens: dict[str, list[float]]


def _play(work: Work[Scale]) -> Played:
    scale = work.scale
    stage = worlds.make("dag", n=scale.n, noise_variance=scale.noise)
    first = play.episodes(
        stage, scripted("expert"), work.seed, "watch", 0, _SAMPLED, explain="effects"
    )
    each = {arm: mean_tokens(first, kind == "predict") for arm, kind in ARMS.items()}
    rows = {arm: round(scale.tokens / each[arm]) for arm in ARMS}
    # One log serves both: a twentieth of it is held out, and a bit more covers what is cut off.
    watched = round(max(rows.values()) / 0.95) + 2048
    logs = work.watched(stage, scripted("expert"), watched, "logs", "effects")
    found = Played({arm: {s: [] for s in scale.splits} for arm in ARMS}, {arm: [] for arm in ARMS})
    for (arm, kind), own in product(ARMS.items(), list(work.seeds(scale.seeds))):
        label = f"{arm}-{own.seed}"
        own.say(f"{label}: reading {scale.tokens:,} tokens")
        recipe = learning.Recipe(
            network="text", epochs=rows[arm] / (0.95 * watched), explanations=kind,
            learning_rate=2e-3, weight_decay=0.01, widths=scale.widths, seed=own.seed,
            batch_size=scale.batch_size,
        )  # fmt: skip
        agent = learn_by_reading([logs.path], work.out / "agents" / label, recipe, resume=True)
        found.tokens[arm].append(agent.training["episodes"] * each[arm])
        for split in scale.splits:
            world = worlds.make("dag", split=split, n=scale.n, noise_variance=scale.noise)
            folder = work.out / "runs" / f"{label}-{split}"
            run = record_speaker(
                world, agent, scale.test_episodes, work.seed, folder, resume=True, meter=agent
            )
            found.runs[arm][split].append(run)
            work.runs.append(str(folder))
    return found


def _measure(work: Work[Scale], found: Played) -> dict[str, Any]:
    def bayes_ratio(run: Dataset) -> float:
        def compute() -> float:
            [row] = evaluation.review([run.path]).runs
            return float(row.metrics.bayes_ratio.value or 0.0)

        file = f"ratios/{run.path.name}.json"
        return float(work.numbers(file, {"log": run.manifest_hash}, compute))

    ratios = {
        arm: {split: [bayes_ratio(run) for run in runs] for split, runs in own.items()}
        for arm, own in found.runs.items()
    }
    return {"bayes_ratio": ratios, "tokens": found.tokens}


def _judge(scale: Scale, values: dict[str, Any]) -> list[str]:
    lines, low = [], None
    ratios = values["bayes_ratio"]
    for split in scale.splits:
        with_, without = (ratios[arm][split] for arm in ARMS)
        apart = mean(np.array(with_) - np.array(without))
        low = apart.low
        lines.append(
            f"{split}: with {over_seeds(with_)}, without {over_seeds(without)}, difference "
            f"{told(apart)}{' (one seed: no interval)' if low is None else ''}"
        )
    tested = scale.splits[-1]
    if scale.seeds > 1:
        spread = float(np.std(ratios["with"][tested], ddof=1))
        lines.append(power(scale.seeds, max(spread, 1e-3), paired=False).line)
    word = "leaves the claim open" if low is None else f"{supports(low > 0)} the claim"
    return [*lines, f"On {tested} this {word}."]


STUDY = Study(
    name="text-explanations",
    claim="""A language model that reads explanations in the transcripts of others' experiments
        learns their strategy from fewer tokens than one that reads the same transcripts
        without.""",
    design="""Text understudies of equal size read equally many tokens of expert transcripts, with
        or without what each variable does to the others being told after the last action. Return
        against the Bayes-optimal reader of the same experiments. Quick: three variables, one seed;
        full: five, the held-out link, three seeds.""",
    refuted_if="over seeds, the interval of the difference in Bayes ratio does not lie above 0",
    measures="return by that of the Bayes-optimal reader of the same experiments, by seed",
    scales={
        "quick": Scale(3, None, 0.25, 16, 3_000_000, TINY, 512, 1),
        "full": Scale(5, "heldout-link", 1.0, 32, 60_000_000, (), 4096, 3),
    },
    play=_play,
    measure=_measure,
    judge=_judge,
    draw=lambda s, v: bar_figure(v["bayes_ratio"], s.splits, "Bayes ratio", 0.0, 1.0),
    shows="Bayes ratio with and without explanations",
)
