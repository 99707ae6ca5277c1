"""What a world promises: the vocabulary shared by worlds, runners and experimenters."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import jax
from jaxtyping import Array, Int, PRNGKeyArray

OBSERVE, EXPLORE, EXPLOIT = 0, 1, 2
PHASES = ("observe", "explore", "exploit")


@dataclass(frozen=True)
class Spec:
    """What an experimenter may know before it acts."""

    variables: tuple[str, ...]
    do_values: tuple[float, ...]
    phases: tuple[int, ...]  # one code a step: OBSERVE, EXPLORE or EXPLOIT
    rounds: tuple[int, ...] = ()  # round of each step, from 0, where the system drifts; () if not

    @property
    def n(self) -> int:
        return len(self.variables)

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
