"""Study `text-explanations`: does reading why make a strategy be learnt from fewer words?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seedo import evaluation, learning, play, worlds
from seedo.episodes import Dataset
from seedo.experimenters import scripted
from seedo.language import learn_by_reading, record_speaker
from seedo.language.text import mean_tokens
from seedo.statistics import _intervals as _statistics
from seedo.statistics._comparisons import power
from seedo.studies._bars import bar_figure
from seedo.studies._in_rooms import interval
from seedo.studies._protocol import Outcome, Say, Study
from seedo.studies._stages import kept_numbers

ARMS = {"with": "predict", "without": "none"}
_SAMPLED = 512


@dataclass(frozen=True)
class Scale:
    """How much is run.

    Attributes:
        n: variables. split: that is tested beside `train`, if any.
        noise: its variance; under 1, an experiment shows more. batch_size: episodes a step.
        tokens: that every model reads. widths: of its network.
        test_episodes: of every run. seeds: independent models of each arm.
    """

    n: int
    split: str | None
    noise: float
    batch_size: int
    tokens: int
    widths: tuple[tuple[str, int], ...]
    test_episodes: int
    seeds: int


TINY = (("size", 64), ("layers", 3), ("heads", 4), ("inner", 160), ("longest", 256))
SCALES = {
    "quick": Scale(3, None, 0.25, 16, 3_000_000, TINY, 512, 1),
    "full": Scale(5, "heldout-link", 1.0, 32, 60_000_000, (), 4096, 3),
}


def _carry_out(scale: Scale, out: Path, seed: int, say: Say) -> Outcome:
    stage = worlds.make("dag", n=scale.n, noise_variance=scale.noise)
    first = play.episodes(stage, scripted("expert"), seed, "watch", 0, _SAMPLED, explain="effects")
    each = {arm: mean_tokens(first, kind == "predict") for arm, kind in ARMS.items()}
    rows = {arm: round(scale.tokens / each[arm]) for arm in ARMS}
    # One log serves both: a twentieth of it is held out, and a bit more covers what is cut off.
    logs = out / "logs"
    watched = round(max(rows.values()) / 0.95) + 2048
    say(f"watching {watched:,} expert episodes")
    play.watch(stage, scripted("expert"), watched, seed, logs, resume=True, explain="effects")
    splits = ["train", *([scale.split] if scale.split else [])]
    values: dict[str, dict[str, list[float]]] = {arm: {s: [] for s in splits} for arm in ARMS}
    read: dict[str, list[float]] = {arm: [] for arm in ARMS}
    runs: list[str] = []
    for arm, kind in ARMS.items():
        for at in range(seed, seed + scale.seeds):
            say(f"{arm}, seed {at}: reading {scale.tokens:,} tokens")
            recipe = learning.Recipe(
                network="text", epochs=rows[arm] / (0.95 * watched), explanations=kind,
                learning_rate=2e-3, weight_decay=0.01, widths=scale.widths, seed=at,
                batch_size=scale.batch_size,
            )  # fmt: skip
            agent = learn_by_reading([logs], out / "agents" / f"{arm}-{at}", recipe, resume=True)
            read[arm].append(agent.training["episodes"] * each[arm])
            for split in splits:
                world = worlds.make("dag", split=split, n=scale.n, noise_variance=scale.noise)
                folder = out / "runs" / f"{arm}-{at}-{split}"
                run = record_speaker(world, agent, scale.test_episodes, seed, folder, resume=True)
                values[arm][split].append(_bayes_ratio(run, out))
                runs.append(str(folder))
                say(f"{arm}, seed {at}, {split}: Bayes ratio {values[arm][split][-1]:.3f}")
    told = {s: _difference(values["with"][s], values["without"][s]) for s in splits}
    lines = [
        f"{split}: with {interval(values['with'][split])}, without "
        f"{interval(values['without'][split])}, difference {said}"
        for split, (_, said) in told.items()
    ]
    tested = splits[-1]
    lower = told[tested][0]
    judgement = "leaves the claim open" if lower is None else (
        "supports the claim" if lower > 0 else "refutes the claim"
    )  # fmt: skip
    if scale.seeds > 1:
        spread = float(np.std(values["with"][tested], ddof=1))
        lines.append(power(scale.seeds, max(spread, 1e-3), paired=False).line)
    figure = bar_figure(out / "figure.svg", values, splits, "Bayes ratio", 0.0, 1.0)
    return Outcome(
        measure="return by that of the Bayes-optimal reader of the same experiments, by seed",
        values={"bayes_ratio": values, "tokens": read},
        verdict="\n".join([*lines, f"On {tested} this {judgement}."]),
        runs=runs,
        figures=[figure],
    )


def _bayes_ratio(run: Dataset, out: Path) -> float:
    def compute() -> float:
        [row] = evaluation.review([run.path]).runs
        return float(row.metrics.bayes_ratio.value or 0.0)

    file = out / "ratios" / f"{run.path.name}.json"
    return float(kept_numbers(file, {"log": run.manifest_hash}, compute))


def _difference(first: list[float], second: list[float]) -> tuple[float | None, str]:
    """Lower end of the interval of a difference over paired seeds, and the difference in words."""
    found = _statistics.mean(np.array(first) - np.array(second))
    if len(first) < 2:
        return None, f"{found.value:.3f} (one seed: no interval)"
    return found.low, f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


STUDY = Study(
    name="text-explanations",
    claim=(
        "A language model that reads explanations in the transcripts of others' experiments learns "
        "their strategy from fewer tokens than one that reads the same transcripts without."
    ),
    design=(
        "Text understudies of equal size read equally many tokens of expert transcripts, with or "
        "without what each variable does to the others being told after the last action. Return "
        "against the Bayes-optimal reader of the same experiments. Quick: three variables, one "
        "seed; full: five, the held-out link, three seeds."
    ),
    refuted_if="over seeds, the interval of the difference in Bayes ratio does not lie above 0",
    scales=SCALES,
    carry_out=_carry_out,
)
