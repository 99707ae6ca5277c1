"""What a world promises: the vocabulary shared by worlds, runners and experimenters."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import jax
from jaxtyping import Array, Int, PRNGKeyArray

from seedo.spaces import CausalGraph, Goals, Space

OBSERVE = 0
"""A step that only looks."""
EXPLORE = 1
"""A step that may experiment."""
EXPLOIT = 2
"""A step that counts."""
PHASES = ("observe", "explore", "exploit")
"""Names of the phases of a step, at `OBSERVE`, `EXPLORE` and `EXPLOIT`."""


@dataclass(frozen=True)
class Spec:
    """What an experimenter may know before it acts.

    An action either sets one variable to one of `do_values`, or, where there is a `space`, all of
    its knobs at once.

    Attributes:
        variables: names; where there is a `space`, its knobs first, then what is read.
        do_values: what any variable may be set to; () where there is a `space`.
        phases: one code a step: OBSERVE, EXPLORE or EXPLOIT.
        rounds: round of each step, from 0, where the system drifts; () if it does not.
        space: the settings that are possible.
        goals: what runs are for, in worlds with a space.
        graph: what is known to move what, among knobs and readings; None: nothing is.
        sizes: how many times the do-value each variable is set to; () if it is the do-value itself.
            Actions and logs hold the do-value; what the variable was set to is in the outcome.
        costs: what setting each variable costs at an exploit step; () nothing.
    """

    variables: tuple[str, ...]
    do_values: tuple[float, ...]
    phases: tuple[int, ...]
    rounds: tuple[int, ...] = ()
    space: Space | None = None
    goals: Goals | None = None
    graph: CausalGraph | None = None
    sizes: tuple[float, ...] = ()
    costs: tuple[float, ...] = ()

    @property
    def n(self) -> int:
        return len(self.variables)

    @property
    def readings(self) -> tuple[str, ...]:
        """Variables that are no knobs; all, where there is no space."""
        return self.variables[self.space.size :] if self.space else self.variables

    @property
    def steps(self) -> int:
        return len(self.phases)

    @property
    def actions(self) -> int:
        """Number of interventions; action index = target * len(do_values) + value index."""
        return self.n * len(self.do_values)


def stream_key(seed: Int[Array, ""] | int, stream: str) -> PRNGKeyArray:
    """The key from which all episodes of a stream are drawn.

    `stream` keeps purposes apart: an agent evaluated with the seed its logs were written with still
    meets systems of its own.
    """
    return jax.random.fold_in(jax.random.key(seed), zlib.crc32(stream.encode()))


def episode_key(
    seed: Int[Array, ""] | int, stream: str, index: Int[Array, ""] | int
) -> PRNGKeyArray:
    """The key from which one episode's system, noise and choices are drawn."""
    return jax.random.fold_in(stream_key(seed, stream), index)


def variable_names(n: int) -> tuple[str, ...]:
    """A, B, ..., Z, A1, B1, ..."""
    return tuple(chr(65 + i % 26) + (str(i // 26) if i >= 26 else "") for i in range(n))
