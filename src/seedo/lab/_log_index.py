"""What a list of a log's episodes is sorted and filtered by; some 40 bytes an episode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from seedo.episodes import EXPLOIT, EXPLORE, DamagedShard, EpisodeBatch
from seedo.errors import UserError
from seedo.lab._log import Log
from seedo.statistics import mean, proportion, ratios

_BITS = 63
_TEXTS = 8
_TIE = 1e-4  # relative: returns are float32, oracle returns too
_UNUSED = tuple(n for n in EpisodeBatch.OPTIONAL if n != "participant")
SEVERAL = -2
SORTS = ("id", "returns", "-returns", "regret", "-regret")


@dataclass(frozen=True, eq=False)
class Columns:
    """B episodes.

    Attributes:
        id: int64[B].
        part, row: int32[B], where they are.
        returns, oracle_return, random_return: float32[B], NaN where unknown.
        goal: int16[B], at the first exploit step that has one; -1: none.
        target, value: int16[B] and float32[B], what was done at that step; -1: nothing,
            `SEVERAL`: several variables were set at once.
        tested: int64[B]; bit i: variable i was set while exploring.
        person: int32[B], position in the index's `people`; 0 where it has none.
    """

    id: NDArray[np.int64]
    part: NDArray[np.int32]
    row: NDArray[np.int32]
    returns: NDArray[np.float32]
    oracle_return: NDArray[np.float32]
    random_return: NDArray[np.float32]
    goal: NDArray[np.int16]
    target: NDArray[np.int16]
    value: NDArray[np.float32]
    tested: NDArray[np.int64]
    person: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Index:
    """All readable episodes of a log.

    Attributes:
        columns: of the episodes.
        people: whose the episodes are; empty where the log does not say.
        damage: one line for each file left out.
        figures: what they amount to, JSON-able.
        said: for the latest texts that were looked for, bool[B].
    """

    columns: Columns
    people: tuple[str, ...]
    damage: tuple[str, ...]
    figures: dict[str, Any]
    said: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def best(self) -> NDArray[np.bool_]:
        """bool[B]: the return is that of one who knows the system."""
        return _best(self.columns)

    def best_at(self, i: int) -> bool | None:
        """The same for one episode; None where unknown."""
        c = self.columns
        if not (np.isfinite(c.returns[i]) and np.isfinite(c.oracle_return[i])):
            return None
        return bool(c.returns[i] >= _least_best(c.oracle_return[i]))

    def shown(self, i: int) -> dict[str, Any]:
        """A line of the list."""
        c = self.columns
        return {
            "at": f"{c.part[i]}.{c.row[i]}",
            "id": c.id[i],
            "returns": c.returns[i],
            "oracle_return": c.oracle_return[i],
            "goal": c.goal[i],
            "target": c.target[i],
            "value": c.value[i],
            "best": self.best_at(i),
            "person": self.people[c.person[i]] if self.people else "",
        }

    def find(self, episode: int) -> tuple[int, int]:
        """File and row of an episode.

        Raises:
            UserError: there is none, or its file is damaged.
        """
        at = np.flatnonzero(self.columns.id == episode)
        if not len(at):
            raise UserError("episode", episode, "not among the readable episodes of this log")
        return int(self.columns.part[at[0]]), int(self.columns.row[at[0]])


@dataclass(frozen=True)
class Filter:
    """Which episodes to list; None and empty: any.

    Attributes:
        low, high: of the return.
        goal: variable.
        best: whether the return was the best possible.
        tested: variables that were all set while exploring.
        text: somewhere in the explanations, in any case.
        episode: its id.
        person: whose it is.
    """

    low: float | None = None
    high: float | None = None
    goal: int | None = None
    best: bool | None = None
    tested: tuple[int, ...] = ()
    text: str = ""
    episode: int | None = None
    person: str = ""


def make_index(log: Log, progress: Callable[[int], None]) -> Index:
    """Reads every file of a log once, one at a time; `progress` is told how many are done."""
    found: list[Columns] = []
    people: dict[str, int] = {}
    damage: list[str] = []
    for part in range(len(log.parts)):
        progress(part)
        try:
            found.append(_columns(log.read(part, _UNUSED), part, people))
        except DamagedShard as error:
            damage.append(str(error))
    if not found:
        raise UserError("log", log.key, f"no readable episodes: {damage[0]}")
    columns = Columns(
        *(np.concatenate([getattr(c, f.name) for c in found]) for f in fields(Columns))
    )
    return Index(columns, tuple(people), tuple(damage), _figures(columns, bool(people)))


def select(index: Index, log: Log, wanted: Filter) -> NDArray[np.int64]:
    """Positions of the episodes that pass, in the order of the log.

    Raises:
        UserError: a filter that this log does not have.
    """
    c = index.columns
    keep = np.ones(len(c.id), np.bool_)
    for bound, beyond in ((wanted.low, np.less), (wanted.high, np.greater)):
        if bound is not None:
            keep &= ~(beyond(c.returns, bound) | np.isnan(c.returns))
    if wanted.goal is not None:
        keep &= c.goal == wanted.goal
    if wanted.best is not None:
        keep &= (index.best == wanted.best) & np.isfinite(c.oracle_return)
    for variable in wanted.tested:
        if not 0 <= variable < min(log.origin.n, _BITS):
            raise UserError("tested", variable, f"there are variables 0 to {log.origin.n - 1}")
        keep &= (c.tested >> variable & 1).astype(np.bool_)
    if wanted.episode is not None:
        keep &= c.id == wanted.episode
    if wanted.person:
        known = index.people.index(wanted.person) if wanted.person in index.people else -1
        keep &= c.person == known
    if wanted.text:
        keep &= _saying(index, log, wanted.text)
    return np.flatnonzero(keep)


def order(index: Index, at: NDArray[np.int64], by: str) -> NDArray[np.int64]:
    """Positions sorted by one of `SORTS`; what is unknown comes last."""
    c = index.columns
    if by == "id":
        return at[np.argsort(c.id[at], kind="stable")]
    worth = c.returns[at] if by.endswith("returns") else (c.oracle_return - c.returns)[at]
    worth = -worth if by.startswith("-") else worth
    return at[np.argsort(worth, kind="stable")]  # NaN last


def _columns(batch: EpisodeBatch, part: int, people: dict[str, int]) -> Columns:
    B = batch.rows
    rows = np.arange(B)
    aimed = (batch.phase == EXPLOIT) & (batch.goal >= 0)
    first = aimed.argmax(1)
    any_goal = aimed.any(1)
    done = batch.setting[rows, first]
    sets = ~np.isnan(done)
    target = np.where(sets.sum(1) > 1, SEVERAL, np.where(sets.any(1), sets.argmax(1), -1))
    tested = np.zeros(B, np.int64)
    for variable in range(min(batch.n, _BITS)):
        hit = (~np.isnan(batch.setting[:, :, variable]) & (batch.phase == EXPLORE)).any(1)
        tested |= hit.astype(np.int64) << variable
    return Columns(
        id=batch.episode_id,
        part=np.full(B, part, np.int32),
        row=rows.astype(np.int32),
        returns=batch.returns,
        oracle_return=batch.oracle_return,
        random_return=batch.random_return,
        goal=np.where(any_goal, batch.goal[rows, first], -1).astype(np.int16),
        target=np.where(any_goal, target, -1).astype(np.int16),
        value=np.where(any_goal & (target >= 0), done[rows, target], np.nan).astype(np.float32),
        tested=tested,
        person=np.array(
            [people.setdefault(name, len(people)) for name in batch.participant or ()] or [0] * B,
            np.int32,
        ),
    )


def _best(c: Columns) -> NDArray[np.bool_]:
    near: NDArray[np.bool_] = c.returns >= _least_best(c.oracle_return)
    return near


def _least_best(oracle: Any) -> Any:
    """The least return that counts as the best one."""
    return oracle - _TIE * (1 + np.abs(oracle))


def _figures(c: Columns, people: bool) -> dict[str, Any]:
    whose = c.person.astype(np.int64) if people else None
    known = np.isfinite(c.oracle_return) & np.isfinite(c.returns)
    any_return = np.isfinite(c.returns).any()
    hits = proportion(_best(c)[known], None if whose is None else whose[known])
    return {
        "episodes": len(c.id),
        "returns": mean(c.returns, whose).to_json(),
        "oracle_return": mean(c.oracle_return, whose).to_json(),
        "random_return": mean(c.random_return, whose).to_json(),
        "return_ratio": ratios([c.returns], [c.oracle_return], cluster=whose)[0].to_json(),
        "best": hits.to_json(),
        "lowest": float(np.nanmin(c.returns)) if any_return else None,
        "highest": float(np.nanmax(c.returns)) if any_return else None,
    }


def _saying(index: Index, log: Log, text: str) -> NDArray[np.bool_]:
    """bool[B]: the text is somewhere in an episode's explanations."""
    if text in index.said:
        return index.said[text]
    columns = index.columns
    found = np.zeros(len(columns.id), np.bool_)
    for part in np.unique(columns.part) if "explanation" in log.optional else ():
        here = columns.part == part
        try:
            said = log.explanations(int(part))
        except DamagedShard:  # since it was indexed
            continue
        hit = np.asarray(pc.match_substring(said, text, ignore_case=True).fill_null(False))
        if hit.size % log.steps:
            continue
        by_episode = np.atleast_1d(hit.reshape(-1, log.steps).any(1))
        rows = columns.row[here]
        found[here] = by_episode[np.minimum(rows, len(by_episode) - 1)]
    while len(index.said) >= _TEXTS:
        index.said.pop(next(iter(index.said)), None)
    index.said[text] = found
    return found
