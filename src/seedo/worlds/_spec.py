"""What a world promises: the vocabulary shared by worlds, runners and experimenters."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import jax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from seedo.worlds._scm import System

OBSERVE, EXPLORE, EXPLOIT = 0, 1, 2
PHASES = ("observe", "explore", "exploit")


class Task(NamedTuple):
    """A system, which of its variables matter, and a goal variable for each exploit step."""

    system: System
    relevant: Bool[Array, " n"]
    goals: Int[Array, " k"]


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


class World(Protocol):
    """A distribution over systems. All methods but `config_json` are pure and jittable."""

    @property
    def name(self) -> str: ...
    @property
    def spec(self) -> Spec: ...
    @property
    def split(self) -> str: ...
    def config(self) -> dict[str, Any]: ...
    def sample(self, key: PRNGKeyArray) -> Task: ...
    def outcome(
        self, system: System, target: Array, value: Array, key: PRNGKeyArray
    ) -> Float[Array, " n"]: ...
    def expected(self, system: System) -> Float[Array, "n V n"]: ...
    def in_round(self, system: System, number: Int[Array, ""] | int) -> System: ...


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
