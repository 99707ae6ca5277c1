"""World `dag`: random structural causal models over n variables."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from seedo.worlds._dag_config import (
    CHOICES,
    HELD_CAUSE,
    HELD_EFFECT,
    PRESETS,
    SPLITS,
    DagConfig,
    configure,
    held_out_set,
)
from seedo.worlds._dag_log import describe_systems, effects_told, graphs_told
from seedo.worlds._dags import (
    ENUMERABLE,
    ancestors,
    enumerate_dags,
    place,
    random_subset,
    sample_dag,
    sample_rooted_dag,
)
from seedo.worlds._scm import (
    System,
    draw_noise,
    expected,
    simulate,
    turned,
)
from seedo.worlds._spec import EXPLOIT, EXPLORE, OBSERVE, Spec, variable_names
from seedo.worlds._world import Action, Observation, References, Row, World


@functools.cache
def _listed_dags(n: int, max_parents: int, link: bool | None, held: str) -> np.ndarray:
    """All DAGs; those with (True) or without (False) what is held out from D to E; any (None)."""
    dags = enumerate_dags(n, max_parents).astype(bool)
    if link is None:
        return dags
    reach = dags
    for _ in range(3 if held == "path" else 0):
        reach = reach | ((reach.astype(np.uint8) @ reach.astype(np.uint8)) > 0)
    return dags[reach[:, HELD_CAUSE, HELD_EFFECT] == link]


_NAMED = ("preset", "split")


class Draw(NamedTuple):
    """A system, which of its variables matter, and a goal variable for each exploit step."""

    system: System  # where it drifts: with its weights of the first round
    relevant: Bool[Array, " n"]
    goals: Int[Array, " k"]


class Task(NamedTuple):
    """What is fixed in an episode."""

    system: System
    relevant: Bool[Array, " n"]
    goal: Int[Array, " S"]  # the goal variable at exploit steps, -1 elsewhere
    expected: Float[Array, "n V n"] | Float[Array, "R n V n"]  # of R rounds if it drifts


class State(NamedTuple):
    """An episode in progress: the number of the next step, and what the last one did."""

    step: Int[Array, ""]
    target: Int[Array, ""]
    value: Float[Array, ""]
    outcome: Float[Array, " n"]


class DagWorld(World):
    """Random structural causal models; see `DagConfig`. Methods are pure JAX for one episode.

    What is done to a system, and when, never changes its noise: players of one seed are paired.
    """

    name = "dag"
    explanations: ClassVar[tuple[str, ...]] = ("none", "graph", "effects")
    family: ClassVar[str] = "dag"
    splits: ClassVar[tuple[str, ...]] = SPLITS
    presets: ClassVar[tuple[str, ...]] = tuple(PRESETS)

    def __init__(self, config: DagConfig) -> None:
        self.settings = config
        c = config
        block = (*(EXPLORE,) * c.experiments, *(EXPLOIT,) * c.exploits)
        numbers = np.arange(c.rounds).repeat(len(block)).tolist()
        self.spec = Spec(
            variables=variable_names(c.n),
            do_values=c.do_values,
            phases=(*(OBSERVE,) * c.observations, *block * c.rounds),
            rounds=(*(0,) * c.observations, *numbers) if c.drift else (),
            sizes=c.sizes,
            costs=c.costs,
        )

    @classmethod
    def make(cls, preset: str | None, split: str, **options: Any) -> DagWorld:
        return DagWorld(configure(preset or "linear", split, **options))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DagWorld:
        return DagWorld(DagConfig.from_dict(config))

    @classmethod
    def settings_of(cls) -> dict[str, Any]:
        return {f.name: f.default for f in dataclasses.fields(DagConfig) if f.name not in _NAMED}

    @classmethod
    def choices_of(cls) -> dict[str, tuple[str, ...]]:
        return CHOICES

    @classmethod
    def own_settings(cls, config: dict[str, Any]) -> dict[str, Any]:
        n, split = config.get("n"), str(config.get("split", "train"))
        preset = str(config.get("preset") or "linear")
        usual = configure(preset, split, n=n, relevant=config.get("relevant")).to_dict()
        plain = configure(preset, split, n=n).to_dict()
        differing = {k: v for k, v in config.items() if usual.get(k) != v}
        if config.get("relevant") != plain.get("relevant"):
            differing["relevant"] = config["relevant"]
        return differing

    @property
    def split(self) -> str:
        return self.settings.split

    def config(self) -> dict[str, Any]:
        return self.settings.to_dict()

    @property
    def at_once(self) -> int:
        """As many episodes as keep the working arrays within some tens of MB."""
        spec, heavy = self.spec, 64 if self.settings.mechanism != "linear" else 1
        if self.settings.rounds > 1:  # such episodes may be long
            heavy *= max(1, spec.steps // 100)
        size = 2**21 // (spec.n * spec.n * len(spec.do_values) * heavy)
        return 1 << max(6, min(12, size.bit_length() - 1))

    # -- sampling -------------------------------------------------------------------------------

    def sample(self, key: PRNGKeyArray) -> Task:
        """One task of the split."""
        system, relevant, goals = self.draw(key)
        exploiting = np.asarray(self.spec.phases) == EXPLOIT
        order = np.maximum(np.cumsum(exploiting) - 1, 0)
        goal = jnp.where(exploiting, goals[order], -1)
        return Task(system, relevant, goal, self._expectations(system))

    def given(self, system: System, goal: Int[Array, ""] | int) -> Task:
        """The task of a system that is not drawn from the world, and its goal variable."""
        exploiting = np.asarray(self.spec.phases) == EXPLOIT
        goals = jnp.where(exploiting, goal, -1)
        return Task(system, jnp.ones(self.spec.n, bool), goals, self.expected(system))

    def draw(self, key: PRNGKeyArray) -> Draw:
        """A system and its goals. Held-out conditions are met by drawing again until they are, so
        the rest of the distribution is untouched."""
        c = self.settings
        key_structure, key_goal = jax.random.split(key)
        if c.split == "heldout-link":
            system = _until(self._held_link_is_best, self._linked_system, key_structure)
            relevant = jnp.ones(c.n, bool)
            goals = jnp.full(c.exploits * c.rounds, HELD_EFFECT, jnp.int32)
            return Draw(system, relevant, goals)
        key_graph, key_system = jax.random.split(key_structure)
        adjacency, relevant = self._graph(key_graph)
        system = self._system(adjacency, key_system)
        return Draw(system, relevant, self._goals(adjacency, relevant, key_goal))

    def _graph(self, key: PRNGKeyArray) -> tuple[Bool[Array, "n n"], Bool[Array, " n"]]:
        c = self.settings
        everything = jnp.ones(c.n, bool)
        no_link_yet = c.split == "train" and c.n > HELD_EFFECT
        if c.relevant is None and c.graph == "uniform" and c.n <= ENUMERABLE:
            dags = jnp.asarray(self._listed(False if no_link_yet else None))
            return dags[jax.random.randint(key, (), 0, len(dags))], everything
        key_set, key_graph = jax.random.split(key)
        if c.relevant is None or c.relevant == c.n:
            relevant = everything
        elif c.split in ("train", "heldout-set"):
            wanted = c.split == "heldout-set"
            relevant = _until(
                lambda mask: held_out_set(mask) == wanted,
                lambda k: random_subset(k, c.n, c.relevant),
                key_set,
            )
        else:
            relevant = random_subset(key_set, c.n, c.relevant)
        draw = functools.partial(self._any_graph, relevant)
        if no_link_yet:
            return _until(lambda a: ~self._linked(a), draw, key_graph), relevant
        return draw(key_graph), relevant

    def _any_graph(self, relevant: Bool[Array, " n"], key: PRNGKeyArray) -> Bool[Array, "n n"]:
        c = self.settings

        def block(key: PRNGKeyArray, size: int) -> Bool[Array, "k k"]:
            if size < 2:
                return jnp.zeros((max(size, 1),) * 2, bool)
            sampler = sample_dag if c.graph == "uniform" else sample_rooted_dag
            return sampler(key, size, c.max_parents)

        if c.relevant is None or c.relevant == c.n:
            return block(key, c.n)
        key_in, key_out = jax.random.split(key)
        inside = place(block(key_in, c.relevant), jnp.cumsum(relevant) - 1, relevant)
        outside = place(block(key_out, c.n - c.relevant), jnp.cumsum(~relevant) - 1, ~relevant)
        return inside | outside

    def _linked_system(self, key: PRNGKeyArray) -> System:
        """A system with the link from D to E."""
        c = self.settings
        key_graph, key_system = jax.random.split(key)
        if c.graph == "uniform" and c.n <= ENUMERABLE:
            dags = jnp.asarray(self._listed(True))
            adjacency = dags[jax.random.randint(key_graph, (), 0, len(dags))]
        else:
            draw = functools.partial(self._any_graph, jnp.ones(c.n, bool))
            adjacency = _until(self._linked, draw, key_graph)
        return self._system(adjacency, key_system)

    def _listed(self, link: bool | None) -> np.ndarray:
        c = self.settings
        return _listed_dags(c.n, c.max_parents, link, c.held)

    def _linked(self, adjacency: Bool[Array, "n n"]) -> Bool[Array, ""]:
        """Whether a graph has what training holds out."""
        reach = adjacency if self.settings.held == "arrow" else ancestors(adjacency)
        return reach[HELD_CAUSE, HELD_EFFECT]

    def _held_link_is_best(self, system: System) -> Bool[Array, ""]:
        to_goal = self.expected(system)[:, :, HELD_EFFECT].max(axis=1)
        if self.spec.costs:
            to_goal = to_goal - jnp.asarray(self.spec.costs)
        return jnp.argmax(to_goal.at[HELD_EFFECT].set(-jnp.inf)) == HELD_CAUSE

    def _system(self, adjacency: Bool[Array, "n n"], key: PRNGKeyArray) -> System:
        c = self.settings
        size = c.n + c.confounders
        key_weights, key_noise, key_hidden = jax.random.split(key, 3)
        full = jnp.zeros((size, size), bool).at[: c.n, : c.n].set(adjacency)
        if c.confounders:
            children = jax.vmap(lambda k: random_subset(k, c.n, 2))(
                jax.random.split(key_hidden, c.confounders)
            )
            full = full.at[c.n :, : c.n].set(children)
        if c.weight_family == "normal":
            weights = c.weight_scale * jax.random.normal(key_weights, (size, size))
        else:
            weights = jax.random.uniform(
                key_weights, (size, size), minval=-c.weight_scale, maxval=c.weight_scale
            )
        if c.noise_variance_sd:
            lower = -c.noise_variance / c.noise_variance_sd
            drawn = jax.random.truncated_normal(key_noise, lower, jnp.inf, (size,))
            variance = c.noise_variance + c.noise_variance_sd * drawn
        else:
            variance = jnp.full(size, c.noise_variance, jnp.float32)
        noise = jnp.sqrt(variance)
        if c.shocks != "none":
            hidden = jnp.arange(size) >= c.n
            shocked = hidden if c.shocks == "hidden" else ~hidden & ~full.any(axis=0)
            noise = jnp.where(shocked, c.shock_scale * noise, noise)
        system = System(jnp.where(full, weights, 0.0), noise)
        if not c.drift:
            return system
        key_second = jax.random.fold_in(key_weights, 1)
        second = c.weight_scale * jax.random.normal(key_second, (size, size))
        return system._replace(second=jnp.where(full, second, 0.0))

    def _goals(
        self, adjacency: Bool[Array, "n n"], relevant: Bool[Array, " n"], key: PRNGKeyArray
    ) -> Int[Array, " k"]:
        """Goal variables, drawn among those that something relevant can move, if there are any."""
        c = self.settings
        movable = adjacency.any(axis=0) & relevant
        allowed = jnp.where(movable.any(), movable, relevant)
        steps = c.exploits * c.rounds
        draws = 1 if c.goals == "same" else steps
        goals = jax.random.categorical(key, jnp.where(allowed, 0.0, -jnp.inf), shape=(draws,))
        return jnp.broadcast_to(goals, (steps,))

    # -- acting ---------------------------------------------------------------------------------

    def reset(self, task: Task, key: PRNGKeyArray) -> State:
        unseen = jnp.full(self.spec.n, jnp.nan, jnp.float32)
        return State(jnp.int32(0), jnp.int32(-1), jnp.float32(0.0), unseen)

    def observe(self, task: Task, state: State) -> Observation:
        spec = self.spec
        following = jnp.minimum(state.step, spec.steps - 1)
        return Observation(
            phase=jnp.asarray(spec.phases)[following],
            steps_left=spec.steps - following,
            target=state.target,
            value=state.value,
            outcome=state.outcome,
            relevant=task.relevant,
            goal=task.goal[following],
        )

    def step(
        self, task: Task, state: State, action: Action, key: PRNGKeyArray
    ) -> tuple[State, Float[Array, ""], Bool[Array, ""]]:
        """The value is moved to the nearest of the grid. An exploit step that sets nothing, or the
        goal itself, or an irrelevant variable, is refused: it becomes an observation and earns 0.
        Else it earns the goal's expected value, less what setting the variable costs."""
        spec, t = self.spec, state.step
        values = jnp.asarray(spec.do_values, jnp.float32)
        goal = task.goal[t]
        index = jnp.argmin(jnp.abs(values - action.value))
        target = jnp.clip(action.target, -1, spec.n - 1)
        exploiting = jnp.asarray(spec.phases)[t] == EXPLOIT
        allowed = (target >= 0) & (target != goal) & task.relevant[target]
        target = jnp.where(exploiting & ~allowed, -1, target).astype(jnp.int32)
        value = jnp.where(target < 0, 0.0, values[index])
        system, expected = self._at(task, t)
        outcome = self.outcome(system, target, value, key)
        earned = expected[target, index, goal]
        if spec.costs:
            earned = earned - jnp.asarray(spec.costs)[target]
        worth = jnp.where(exploiting & (target >= 0), earned, 0.0)
        return State(t + 1, target, value, outcome), worth, t + 1 >= spec.steps

    def row(self, task: Task, before: State, action: Action, reward: Any, after: State) -> Row:
        goal = task.goal[before.step]
        return Row(after.target, after.value, after.outcome, goal, reward, action.log_probs)

    def relevant(self, task: Task) -> Bool[Array, " n"]:
        return task.relevant

    def privileged(self, task: Task) -> Float[Array, "n V n"] | Float[Array, "R n V n"]:
        """E[x_j | do(x_i = v)]; where the system drifts, of every round."""
        return task.expected

    def references(self, task: Task) -> References:
        """Mean over exploit steps of the best and of the average legal action's expected return."""

        def at(t: Int[Array, ""]) -> tuple[Array, Array]:
            worth = self.worths(task, t)
            legal = jnp.isfinite(worth)
            average = jnp.where(legal, worth, 0.0).sum() / jnp.maximum(legal.sum(), 1)
            return jnp.where(legal.any(), worth.max(), 0.0), average

        best, average = jax.vmap(at)(jnp.arange(self.spec.steps))
        exploiting = jnp.asarray(self.spec.phases) == EXPLOIT
        count = exploiting.sum()
        return References((best * exploiting).sum() / count, (average * exploiting).sum() / count)

    def worths(self, task: Task, t: Int[Array, ""]) -> Float[Array, " A"]:
        """What every action is expected to earn if step t exploits; -inf of those refused."""
        goal = jnp.maximum(task.goal[t], 0)
        return legal_returns(self._at(task, t)[1], goal, task.relevant, self.spec.costs)

    def _at(self, task: Task, t: Int[Array, ""]) -> tuple[System, Float[Array, "n V n"]]:
        """The system as it is at step t, and its expectations."""
        if task.system.second is None:
            return task.system, task.expected
        number = jnp.asarray(self.spec.rounds)[t]
        return self.in_round(task.system, number), task.expected[number]

    def _expectations(self, system: System) -> Float[Array, "n V n"] | Float[Array, "R n V n"]:
        """Of every round if the system drifts."""
        if not self.spec.rounds or system.second is None:
            return self.expected(system)
        numbers = jnp.arange(self.spec.rounds[-1] + 1)
        return jax.vmap(lambda r: self.expected(self.in_round(system, r)))(numbers)

    def explained(self, played: Any, explain: str) -> list[list[str]] | None:
        """`graph`: the edges of the system, at the last step; `effects`: there what raising each
        variable by 1 does to the others in expectation."""
        if explain == "graph":
            return graphs_told(played, self.spec.variables)
        return effects_told(played, self.spec)

    def described(self, played: Any) -> list[str]:
        """Each system and its exact expectations."""
        mechanism = self.config().get("mechanism", "linear")
        return describe_systems(played.task.system, played.task.expected, mechanism)

    @property
    def moved(self) -> Bool[np.ndarray, "n n"] | None:
        """The variables that setting each variable sets; None: itself alone."""
        return None

    def outcome(
        self,
        system: System,
        target: Int[Array, ""],
        value: Float[Array, ""],
        key: PRNGKeyArray,
    ) -> Float[Array, " n"]:
        """Values of the visible variables under do(target = value), times the target's size where
        levers vary; target -1 only observes."""
        c = self.settings
        if c.sizes:
            value = value * jnp.asarray(c.sizes)[target]
        size = c.n + c.confounders
        noise = draw_noise(key, (size,), c.noise_family)
        clamped = jnp.arange(size) == target
        if self.moved is not None:
            sets = jnp.asarray(self.moved)[target] & (target >= 0)
            clamped = clamped.at[: c.n].set(sets)
        return simulate(system, noise, clamped, value[None], c.mechanism)[: c.n]

    def in_round(self, system: System, number: Int[Array, ""] | int) -> System:
        """The system as it is in a round, from 0; itself where nothing drifts."""
        return turned(system, jnp.asarray(self.settings.drift * number))

    def expected(self, system: System) -> Float[Array, "n V n"]:
        """`[i, v, j]` = E[x_j | do(x_i = do_values[v])]; exact for linear mechanisms. Where levers
        vary, x_i is set to its size times that."""
        c = self.settings
        values = jnp.broadcast_to(jnp.asarray(c.do_values), (c.n, len(c.do_values)))
        if c.sizes:
            values = values * jnp.asarray(c.sizes)[:, None]
        moved = None if self.moved is None else jnp.asarray(self.moved)
        return expected(system, c.n, values, c.mechanism, c.noise_family, moved)

    def oracle(
        self, system: System, goal: Int[Array, ""], relevant: Bool[Array, " n"]
    ) -> tuple[Int[Array, ""], Float[Array, ""]]:
        """The intervention with the largest expected goal value: (target, value)."""
        worth = legal_returns(self.expected(system), goal, relevant, self.spec.costs)
        best = jnp.argmax(worth)
        values = len(self.spec.do_values)
        return best // values, jnp.asarray(self.spec.do_values)[best % values]


def legal_returns(
    expected: Float[Array, "n V n"],
    goal: Int[Array, ""],
    relevant: Bool[Array, " n"],
    costs: tuple[float, ...] = (),
) -> Float[Array, " A"]:
    """Expected goal value of every action, less its variable's cost; -inf on the goal itself and on
    irrelevant variables."""
    n = expected.shape[0]
    legal = relevant & (jnp.arange(n) != goal)
    worth = expected[:, :, goal]
    if costs:
        worth = worth - jnp.asarray(costs)[:, None]
    return jnp.where(legal[:, None], worth, -jnp.inf).reshape(-1)


def _until(accept, draw, key: PRNGKeyArray):
    """Draw again until accepted: exact conditioning."""

    def again(state):
        key, _, _ = state
        key, own = jax.random.split(key)
        candidate = draw(own)
        return key, candidate, accept(candidate)

    first = jax.eval_shape(draw, key)
    blank = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), first)
    _, accepted, _ = jax.lax.while_loop(
        lambda state: ~state[2], again, (key, blank, jnp.asarray(False))
    )
    return accepted
