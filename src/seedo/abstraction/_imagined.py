"""What a step would have shown had something been different: a counterfactual as raw data.

What was shown is abstracted; the noise of every variable is found from what was read, what would
have been set is set, and the rest follows (abduction, action, prediction: Pearl 2009, section
7.1), in each of the systems that the rows of the log leave possible. What each ends in is shown.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo import play, worlds
from seedo.episodes import Dataset, EpisodeBatch
from seedo.errors import UserError
from seedo.inference import Answer, Beliefs
from seedo.inference.exact import Progress
from seedo.inference.questions import ImaginedRow, imagined_row
from seedo.tables import Table

_LEVEL = 0.95
_GUESSED = 0.05
"""Share of drawn systems in which a variable may lie beyond what the abstraction has seen set."""
_COMPARED = 500
"""Steps of the log, at most, that tell how far what is shown is off what variables look like."""
_DRAWN = 2_000
"""Systems, at most, of which it is drawn what they would have shown."""
_AT_ONCE = 64
"""Episodes that are drawn again in one call."""


class Shot(NamedTuple):
    """What one step showed and would have shown, D numbers each.

    Attributes:
        shape: in which they are shown.
        was: f32[D], what was shown, with its noise.
        would: f32[D], what would have been shown, without noise: the mean over drawn systems.
        low, high: f32[D], 95 % intervals of that: over systems, errors of reading and of showing.
        within: root mean square over all numbers by which `would` is off, at most, with 95 %.
        truth: f32[D], what would truly have been shown, without noise.
        noise: standard deviation of the noise of what is shown.
        variables: names, and what they would have been: mean, low, high each.
    """

    shape: tuple[int, ...]
    was: NDArray[np.float32]
    would: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    within: float
    truth: NDArray[np.float32]
    noise: float
    variables: dict[str, tuple[float, float, float]]

    @property
    def apart(self) -> float:
        """Root mean square over all numbers by which `would` is off the truth."""
        return _root_mean_square(self.would - self.truth)

    def to_json(self) -> dict[str, Any]:
        return {
            "within": self.within,
            "apart": self.apart,
            "noise": self.noise,
            "covered": float(((self.low <= self.truth) & (self.truth <= self.high)).mean()),
            "variables": {name: list(values) for name, values in self.variables.items()},
        }


class Imagined(NamedTuple):
    """A counterfactual about a step of a log.

    Attributes:
        answer: to the question as it was asked.
        shot: what would have been shown; None if it is refused.
        refused: why; "" if it is not.
        episode, step: of the step.
    """

    answer: Answer
    shot: Shot | None
    refused: str
    episode: int
    step: int

    def to_json(self) -> dict[str, Any]:
        found = None if self.shot is None else self.shot.to_json()
        return {"refused": self.refused, "episode": self.episode, "step": self.step, "shot": found}


def imagine(
    dataset: Dataset,
    question: str,
    table: Table,
    beliefs: Beliefs | None = None,
    progress: Progress | None = None,
) -> Imagined:
    """What a step of a log would have shown, had variables been different.

    Args:
        dataset: a log of world `through:FOLDER`.
        question: what would Y have been had X been 2 in episode 3 step 4?
        table: the rows of its system, see `inference.log_rows`.
        progress: called with (steps done, steps in all) while graphs are sampled.

    Raises:
        UserError: logs of another world, another question, or as `inference.ask`.
    """
    origin = dataset.origin
    world: Any = worlds.from_config(origin.world, json.loads(origin.world_config))
    if not world.reads_variables:
        remedy = "its logs show nothing raw beside variables: use logs of through:FOLDER"
        raise UserError(str(dataset.path), origin.world, remedy)
    stream = play.stream_of_shown(dataset)
    errors = None if world.errors is None else np.array(world.errors)
    row = imagined_row(question, table, beliefs, errors, progress)
    refused = _why_never(world) or row.refused or _why_guessed(world, row)
    shot = None if refused else _shot(dataset, world, stream, row, beliefs or Beliefs())
    return Imagined(row.answer, shot, refused, row.episode, row.step)


def _why_never(world: Any) -> str:
    """Why nothing that would have been shown in a world can be told; "" if it can."""
    if not world.drawing.steady:
        return (
            f"{world.shows['drawing']} vary by themselves: the same values never look the same "
            "twice, and nothing tells how they would have looked"
        )
    if world.errors is None or world.learnt is None:
        return f"{world.named['abstraction']} does not tell what it has seen set: abstract again"
    return ""


def _why_guessed(world: Any, row: ImaginedRow) -> str:
    """Which variable goes beyond what the abstraction has seen; "" if none does."""
    low, high = world.learnt
    beyond = ((row.values < low) | (row.values > high)).mean(axis=0)
    for name, share, values in zip(world.spec.variables, beyond, row.values.T, strict=True):
        if share > _GUESSED:
            return (
                f"{name} would have been {values.mean():.3g} (beyond what was seen with "
                f"probability {share:.2g}), and the abstraction has seen values from {low:g} to "
                f"{high:g} set: beyond, it guesses"
            )
    return ""


def _shot(dataset: Dataset, world: Any, stream: str, row: ImaginedRow, beliefs: Beliefs) -> Shot:
    below, encoder = world.below, world.encoder
    batch = _episode(dataset, row.episode)
    noise = float(world.shows["raw_noise"])
    was = play.shown_again(below, batch, stream)[0, row.step]
    some = row.values[:: -(-len(row.values) // _DRAWN)]
    drawn = np.asarray(encoder.shown(jnp.asarray(some, jnp.float32)))
    would = drawn.mean(axis=0)
    off = _of_showing(dataset, world, stream, noise)
    rng = np.random.default_rng([beliefs.seed, 3])
    possible = drawn + off * rng.standard_normal(drawn.shape, np.float32)
    ends = [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]
    low, high = np.quantile(possible, ends, axis=0).astype(np.float32)
    apart = np.sqrt(((possible - would) ** 2).mean(axis=1))
    truth = play.shown_had(below, batch, stream, (0, row.step), row.held)
    means, spread = row.values.mean(axis=0), np.quantile(row.values, ends, axis=0)
    told = {
        name: (float(means[i]), float(spread[0, i]), float(spread[1, i]))
        for i, name in enumerate(world.spec.variables)
    }
    within = float(np.quantile(apart, _LEVEL))
    return Shot(world.drawing.shape, was, would, low, high, within, truth, noise, told)


def _of_showing(dataset: Dataset, world: Any, stream: str, noise: float) -> NDArray[np.float32]:
    """f32[D], root mean square by which what variables look like is off what is shown, beside its
    noise, over steps of the log."""
    found: list[NDArray[np.float32]] = []
    for shard in range(len(dataset.shards)):
        batch = dataset.read_shard(shard, without=dataset.optional)
        raw = play.shown_again(world.below, batch.take(slice(0, _AT_ONCE)), stream)
        found.append(raw.reshape(-1, raw.shape[-1]))
        if sum(map(len, found)) >= _COMPARED:
            break
    seen = jnp.asarray(np.concatenate(found)[:_COMPARED])
    squares = np.asarray(((world.encoder.shown(world.encoder(seen)) - seen) ** 2).mean(axis=0))
    # What so few steps leave open of the noise's own square counts against what is shown.
    return np.sqrt(np.maximum(squares - noise**2, 0.0) + noise**2 * np.sqrt(2 / len(seen)))


def _episode(dataset: Dataset, number: int) -> EpisodeBatch:
    for shard in range(len(dataset.shards)):
        batch = dataset.read_shard(shard, without=dataset.optional)
        found = np.flatnonzero(batch.episode_id == number)
        if len(found):
            return batch.take(found)
    raise UserError("episode", number, f"not among the {dataset.rows:,} episodes of {dataset.path}")


def _root_mean_square(values: NDArray[np.float32]) -> float:
    return float(np.sqrt((values**2).mean()))
