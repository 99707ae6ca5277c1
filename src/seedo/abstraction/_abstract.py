"""`seedo abstract`: from what was shown in watched episodes to variables, and how well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.abstraction._commuting import Commuting, commuting
from seedo.abstraction._encoding import fitted, unexplained
from seedo.abstraction._errors import root_mean_square, scaled
from seedo.abstraction._shown import Shown, knobs_of, shown_in, world_of
from seedo.abstraction._tabular import read_shown
from seedo.abstraction._weights import weighed, weights
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.statistics import Estimate, missing
from seedo.storage import AnyPlace
from seedo.worlds import World
from seedo.worlds.raw import Encoder, save_encoder

STEPS = 30_000
"""Watched steps that are learnt from, at most, unless somebody says."""
UPDATES = 4_000
"""Steps of the optimiser, unless told."""
_HELD = 6_000
"""Held-out steps that are tested on, at most."""
_FEWEST = 60
"""Steps in which a knob was set, for its variable to be learnt."""
_AS_OWN = 2.5
"""A knob sets another's variable too if that is off by up to so many times its own error."""
_FOUND = 0.5**0.5
"""Error per standard deviation below which what a knob sets is found in what is shown, for certain:
half of its variance."""
_OF_A_VARIABLE = 1 / 5
"""A further variable explains at least this share of what one of the knobs' explains on average."""
MOST_FURTHER = 3
_ALIKE = 0.95
"""Share of a knob's steps in which another was set too, and correlation of what they were set to,
from which on nothing tells their variables apart."""


class Knob(NamedTuple):
    """What is found of what a knob sets, on held-out episodes.

    Attributes:
        name: of the knob. steps: held-out ones in which it was set.
        error: root mean squared difference between what it was set to and what is read off what is
            shown, in the knob's unit; relative: the same per standard deviation of what it was set
            to.
        sets: other knobs whose variables it sets too. like: other knobs that were nearly always
            set when it was, and alike.
        shown: whether what it sets was found in what is shown: half of its variance or more.
        separable: whether its variable is told apart from all others: it sets no other's.
    """

    name: str
    steps: int
    error: Estimate
    relative: Estimate
    sets: tuple[str, ...]
    like: tuple[str, ...]
    shown: bool

    @property
    def separable(self) -> bool:
        return self.shown and not self.sets and not self.like

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "steps": self.steps,
            "error": self.error.to_json(),
            "relative": self.relative.to_json(),
            "sets": list(self.sets),
            "like": list(self.like),
            "shown": self.shown,
            "separable": self.separable,
        }


class Abstraction(NamedTuple):
    """What was learnt from raw logs.

    Attributes:
        path: its folder. encoder: reads the knobs' variables, in their order, in their units.
        knobs: those that were set.
        unset: knobs that were never, or hardly ever, set, so that theirs are not known.
        further: variables that vary in what is shown and that no knob sets.
        unexplained: share of the variance of what is shown that is not found again from the
            variables, on held-out steps.
        commuting: where the world is simulated and its mechanism linear.
    """

    path: Path
    encoder: Encoder
    knobs: tuple[Knob, ...]
    unset: tuple[str, ...]
    further: int
    unexplained: float
    commuting: Commuting | None

    @property
    def variables(self) -> int:
        """How many variables there are in what is shown: the knobs' and the further ones."""
        known: set[str] = set()
        for knob in self.knobs:
            if knob.shown and not known & set(knob.like):
                known.add(knob.name)
        return len(known) + self.further

    def to_json(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "variables": self.variables,
            "knobs": [knob.to_json() for knob in self.knobs],
            "unset": list(self.unset),
            "further": self.further,
            "unexplained": self.unexplained,
            "commuting": self.commuting.to_json() if self.commuting else None,
        }


def abstract(
    logs: AnyPlace,
    out: str | Path,
    steps: int = STEPS,
    updates: int = UPDATES,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> Abstraction:
    """Learn from raw logs alone to read the variables that knobs set, and write the folder.

    The last twentieth of the shards (at least one) is held out; all that is told is of them.

    Args:
        logs: a dataset folder of world `raw`, or of a bench whose readings are the raw data.
        out: the folder to write; `abstraction.json` comes last.
        steps: that are learnt from, at most.
        updates: of the network.
        progress: called with (what is done, how much of it, of how much).

    Raises:
        UserError: logs that are of no such world, in which too little was set, or a folder that is
            not empty.
    """
    folder = Path(out)
    _check_folder(folder)
    dataset = Dataset(logs)
    world = world_of(dataset)
    if len(dataset.shards) < 2:
        remedy = "has one shard; two are needed to hold one out: watch more episodes"
        raise UserError(str(dataset.path), None, remedy)
    held = max(1, len(dataset.shards) // 20)
    learning = range(len(dataset.shards) - held)
    testing = range(len(dataset.shards) - held, len(dataset.shards))

    def say(what: str, of: int) -> Callable[[int], None] | None:
        return None if progress is None else lambda done: progress(what, min(done, of), of)

    shown = shown_in(dataset, world, learning, steps, say("showing", steps))
    tested = shown_in(dataset, world, testing, _HELD)
    about = {
        "world": dataset.origin.world,
        "n": len(knobs_of(world)),
        "shows": world.shows,
        "logs": dataset.cited,
    }
    recipe = {"updates": updates, "seed": seed}
    source = _Source(str(dataset.path), knobs_of(world), about, recipe)
    return _learnt(source, shown, tested, folder, say("learning", updates), world)


def abstract_table(
    tables: Sequence[str | Path],
    knobs: Sequence[str],
    out: str | Path,
    raw: Sequence[str] = (),
    updates: int = UPDATES,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> Abstraction:
    """The same from one's own tables; a fifth of the rows, drawn at random, is held out.

    Args:
        tables: files of the same columns.
        knobs: columns that were set; an empty cell: left alone in that row.
        out: the folder to write.
        raw: columns of what is shown; (): all others that hold numbers and vary.
        updates, seed, progress: as of `abstract`.

    Raises:
        UserError: files that cannot be read, columns that are not there or hold no numbers, too few
            rows, or a folder that is not empty.
    """
    folder = Path(out)
    _check_folder(folder)
    found, columns, digests = read_shown([Path(path) for path in tables], knobs, raw)
    order = np.random.default_rng([seed, len(found.raw)]).permutation(len(found.raw))
    held = len(order) // 5
    shown, tested = found.rows(order[held:]), found.rows(order[:held])
    about = {"world": None, "n": len(knobs), "shows": None, "raw": list(columns), "files": digests}
    recipe = {"updates": updates, "seed": seed}
    source = _Source(str(tables[0]), tuple(knobs), about, recipe)
    say = None if progress is None else lambda done: progress("learning", done, updates)
    return _learnt(source, shown, tested, folder, say)


class _Source(NamedTuple):
    """Where steps are from: what messages call it, its knobs, and what the folder keeps of it."""

    title: str
    knobs: tuple[str, ...]
    about: dict[str, Any]
    recipe: dict[str, int]


def _learnt(
    source: _Source,
    shown: Shown,
    tested: Shown,
    folder: Path,
    say: Callable[[int], None] | None,
    world: World | None = None,
) -> Abstraction:
    names, there = source.knobs, np.isfinite(shown.set_to).sum(axis=0) >= _FEWEST
    there &= np.array([len(np.unique(c[np.isfinite(c)])) > 1 for c in shown.set_to.T])
    if not there.any():
        remedy = (
            f"a knob has to be set in {_FEWEST} steps or more, to two values or more: take more"
        )
        raise UserError(source.title, len(shown.raw), remedy)
    shown, tested = (s._replace(set_to=s.set_to[:, there]) for s in (shown, tested))
    own = [name for name, known in zip(names, there, strict=True) if known]
    updates, seed = source.recipe["updates"], source.recipe["seed"]
    simulated = world is not None and world.shows is not None
    raw: Any = world
    weight = weights(shown) if simulated and raw.drawing.reader else None
    if weight is not None:
        if not weight.any():
            remedy = "nothing in its lines goes with what was set: take more steps"
            raise UserError(source.title, len(shown.raw), remedy)
        shown, tested = weighed(shown, weight), weighed(tested, weight)
    encoder = fitted(shown, 0, updates, seed, say)
    off = unexplained(encoder, tested.raw)
    knobs = _knobs(encoder, shown, tested, own)
    further = _further(shown, tested, off, knobs, max(1, updates // 2), seed)
    encoder = encoder._replace(weight=weight)
    told_apart = all(there) and all(knob.separable for knob in knobs)
    ends = (float(np.nanmin(shown.set_to)), float(np.nanmax(shown.set_to)))
    commutes = commuting(world, encoder, ends, seed) if simulated and told_apart else None
    unset = tuple(name for name, known in zip(names, there, strict=True) if not known)
    found = Abstraction(folder, encoder, tuple(knobs), unset, further, off, commutes)
    told = found.to_json() | source.about | {
        "not_separable": [*(k.name for k in knobs if not k.separable), *unset],
        "recipe": source.recipe | {"steps": len(shown.raw)},
        "set": list(ends),
    }  # fmt: skip
    del told["path"]
    save_encoder(folder, encoder, told)
    return found


def _check_folder(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError(str(folder), None, "not empty: choose another --out")
    if folder.exists() and not folder.is_dir():
        raise UserError(str(folder), None, "is a file: choose another --out")


def _knobs(encoder: Encoder, shown: Shown, tested: Shown, names: list[str]) -> list[Knob]:
    found = np.asarray(encoder(jnp.asarray(tested.raw)))[:, : len(names)]
    off = _errors(found, tested.set_to)
    errors = [_error(found[:, j], tested, j) for j in range(len(names))]
    seen = [relative.high is not None and relative.high < _FOUND for _, relative in errors]
    # As many variables as there are numbers at most can be told apart in them.
    crowded = sum(seen) > encoder.spread.shape[0]
    knobs = []
    for j, name in enumerate(names):
        others = [k for k in range(len(names)) if k != j and seen[k]] if seen[j] else []
        also = tuple(names[k] for k in others if crowded or off[j, k] <= _AS_OWN * off[k, k])
        like = tuple(names[k] for k in others if _alike(shown.set_to, j, k))
        steps = int(np.isfinite(tested.set_to[:, j]).sum())
        knobs.append(Knob(name, steps, *errors[j], also, like, seen[j]))
    return knobs


def _errors(found: NDArray[Any], set_to: NDArray[np.float32]) -> NDArray[Any]:
    """[j, k]: how far k's variable is off what j was set to, where j alone was set (or, of its own
    variable, was set at all); infinite where there is no such step."""
    told = np.isfinite(set_to)
    count = told.shape[1]
    off = np.full((count, count), np.inf)
    for j in range(count):
        for k in range(count):
            rows = told[:, j] if j == k else told[:, j] & (told.sum(axis=1) == 1)
            if rows.any():
                off[j, k] = np.sqrt(((found[rows, k] - set_to[rows, j]) ** 2).mean())
    return off


def _error(found: NDArray[Any], tested: Shown, j: int) -> tuple[Estimate, Estimate]:
    """Root mean squared error of a knob's variable where it was set, and relative to its spread."""
    rows = np.isfinite(tested.set_to[:, j])
    value = tested.set_to[rows, j]
    if not rows.any() or value.std() == 0:
        nothing = missing("never set in what was held out, or always alike")
        return nothing, nothing
    squares = _by_episode((found[rows] - value) ** 2, tested.episode[rows])
    error = root_mean_square(squares)
    return error, scaled(error, 1 / float(value.std()))


def _alike(set_to: NDArray[np.float32], j: int, k: int) -> bool:
    """Whether where a knob was set another was nearly always set too, and alike."""
    own, both = np.isfinite(set_to[:, j]), np.isfinite(set_to[:, [j, k]]).all(axis=1)
    if both.sum() < _ALIKE * own.sum():
        return False
    one, other = (set_to[both, i] - set_to[both, i].mean() for i in (j, k))
    size = np.sqrt((one**2).sum() * (other**2).sum())
    return bool(size == 0 or abs((one * other).sum()) > _ALIKE * size)


def _by_episode(values: NDArray[Any], episode: NDArray[np.int64]) -> NDArray[Any]:
    """Means over the steps of each episode, which are not independent."""
    _, which = np.unique(episode, return_inverse=True)
    return np.bincount(which, values) / np.bincount(which) if len(values) else values


def _further(
    shown: Shown, tested: Shown, before: float, knobs: list[Knob], updates: int, seed: int
) -> int:
    """How many variables there are that no knob sets: as long as one more explains as much.

    `before`: what is left unexplained by the knobs'.
    """
    own = sum(knob.shown for knob in knobs)
    enough = _OF_A_VARIABLE * (1 - before) / max(1, own)
    found = 0
    while found < MOST_FURTHER and before > enough:
        after = unexplained(fitted(shown, found + 1, updates, seed), tested.raw)
        if before - after < enough:
            break
        found, before = found + 1, after
    return found
