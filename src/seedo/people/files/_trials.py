"""One person with one system, as every format gives it, and many as batches of episodes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EXPLORE, EpisodeBatch, Origin

GRAPH = "noisy-or"
"""`kind` of a noisy-OR graph, in the system of an episode."""
MACHINE = "machine"
"""`kind` of a deterministic machine, in the system of an episode."""
_RECORDED = "recorded:"


@dataclass(frozen=True, eq=False)
class Trial:
    """What one person did with one system.

    Attributes:
        person: their name in the file, until `under` gives another.
        variables: names, n of them.
        setting: float32[S, n], 0 or 1 where held, NaN where left free.
        outcome: float32[S, n], 0 or 1, NaN where not seen.
        system: what is known of it, JSON-able: `kind`, and for a graph `links` (pairs of
            variables), `background`, `strength`, `hypotheses` (each its links) where only these
            can be, and `may_hold` "one on" where nothing else could be done.
        said: one a step, JSON-able: `links` of the graph that was drawn or picked after it,
            `confidence` (0 to 100), `seconds` it took; what there is of them.
        group: of people, e.g. an age group.
    """

    person: str
    variables: tuple[str, ...]
    setting: NDArray[np.float32]
    outcome: NDArray[np.float32]
    system: dict[str, Any]
    said: list[dict[str, Any]]
    group: str = ""

    def under(self, name: str) -> Trial:
        """The same of a person with another name."""
        return replace(self, person=name)


def batches(trials: Sequence[Trial], kind: str, created: str) -> Iterator[tuple[str, EpisodeBatch]]:
    """Trials with as many variables and steps, and of one group of people, together.

    Args:
        kind: the format.
        created: when the log was made, ISO 8601.

    Yields:
        the name of a folder, e.g. "3-variables-6-steps", and its episodes; people's groups stand in
        the log's `experimenter`, systems as JSON in `system`, what was said in `explanation`.
    """
    found: dict[tuple[str, tuple[str, ...], int], list[Trial]] = {}
    for trial in trials:
        found.setdefault((trial.group, trial.variables, len(trial.setting)), []).append(trial)
    for (group, variables, steps), alike in sorted(found.items()):
        name = "-".join(filter(None, (group, f"{len(variables)}-variables-{steps}-steps")))
        origin = Origin(
            world=_RECORDED + kind, world_config="{}", split="train", seed=0, created=created,
            experimenter=f"people:{group}" if group else "people", variables=variables,
        )  # fmt: skip
        yield name, _batch(alike, origin)


def _batch(trials: list[Trial], origin: Origin) -> EpisodeBatch:
    B, S, n = len(trials), len(trials[0].setting), origin.n
    unknown = np.full(B, np.nan, np.float32)
    return EpisodeBatch(
        origin=origin,
        episode_id=np.arange(B),
        phase=np.full((B, S), EXPLORE, np.int8),
        setting=np.stack([trial.setting for trial in trials]),
        outcome=np.stack([trial.outcome for trial in trials]),
        mask=np.ones((B, n), np.bool_),
        goal=np.full((B, S), -1, np.int16),
        returns=unknown,
        oracle_return=unknown.copy(),
        random_return=unknown.copy(),
        explanation=[[_text(said) for said in trial.said] for trial in trials],
        system=[_text(trial.system) for trial in trials],
        participant=[trial.person for trial in trials],
    )


def _text(said: dict[str, Any]) -> str:
    return json.dumps(said, sort_keys=True) if said else ""
