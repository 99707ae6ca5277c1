"""The protocol between whoever chooses interventions and whoever runs them."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from seedo.worlds import Spec


class Observation(NamedTuple):
    """What an experimenter sees before it acts, for one episode."""

    phase: Int[Array, ""]  # OBSERVE, EXPLORE or EXPLOIT
    steps_left: Int[Array, ""]  # including this one
    target: Int[Array, ""]  # previous action; -1: none, or a plain observation
    value: Float[Array, ""]  # previous do-value; 0 where target is -1
    outcome: Float[Array, " n"]  # what followed; NaN where unobserved and at the first step
    relevant: Bool[Array, " n"]
    goal: Int[Array, ""]  # variable to raise; -1 while hidden


class Action(NamedTuple):
    """An intervention do(target = value); target -1 observes without touching anything."""

    target: Int[Array, ""]
    value: Float[Array, ""]
    log_probs: Float[Array, " A"] | None = None


@runtime_checkable
class Experimenter(Protocol):
    """A pure chooser: the runner vmaps and scans it over episodes inside one compiled program.

    `knows_system` marks those that are told E[x_j | do(x_i = v)] of the system (`expected`,
    [n, V, n]; where it drifts, of every round: [R, n, V, n], see `Spec.rounds`); everyone else gets
    None there. Whoever thinks long may say in `episodes_at_once` how
    many episodes a compiled call should play.
    """

    @property
    def name(self) -> str: ...
    @property
    def knows_system(self) -> bool: ...

    def init(self, spec: Spec, key: PRNGKeyArray, expected: Array | None) -> Any: ...

    def act(
        self, state: Any, observation: Observation, key: PRNGKeyArray
    ) -> tuple[Action, Any]: ...
