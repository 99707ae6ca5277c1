"""A trained network on the protocol, and the folder it lives in."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from importlib import resources
from pathlib import Path
from typing import Any, Generic, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from seedo.errors import UserError
from seedo.experimenters import Action, Observation, Player
from seedo.learning._inputs import Decision, observation_row
from seedo.learning._networks import Architecture, Network, build
from seedo.learning._weights import Tree, from_bytes
from seedo.worlds import Spec

FORMAT = 1
"""Version of the agent folder: agent.json, weights.safetensors, metrics.jsonl and, to go on
training, optimizer.safetensors."""

PRETRAINED = ("dag", "dag-plain", "dag-text")


N = TypeVar("N")
A = TypeVar("A")


class Provenance:
    """Where a player comes from: its name, training record and history.

    All are equal, so that players that differ in nothing else share their compiled programs.
    """

    def __init__(
        self,
        name: str,
        training: dict[str, Any] | None = None,
        history: list[dict[str, Any]] | None = None,
    ) -> None:
        self.name, self.training, self.history = name, training or {}, history or []

    def record(self, architecture: Any, greedy: bool) -> dict[str, Any]:
        """What a run's manifest keeps of a player with this past."""
        return {
            "mode": "greedy" if greedy else "sample",
            "agent_record": {"architecture": architecture.to_json(), **self.training},
            "metrics_history": self.history,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Provenance)

    def __hash__(self) -> int:
        return 0


class Trained(eqx.Module, Player, Generic[N, A]):
    """What every player of a trained network has.

    Args:
        network: its weights.
        architecture: the network's; anything with `to_json`.
        provenance: its name in logs and reports, the training record of its agent.json, and the
            rows of its metrics.jsonl.
        greedy: play the most probable action rather than draw from the distribution.
    """

    network: N
    architecture: A = eqx.field(static=True)
    provenance: Provenance = eqx.field(static=True)
    greedy: bool = eqx.field(static=True, default=True)

    @property
    def name(self) -> str:
        return self.provenance.name

    @property
    def training(self) -> dict[str, Any]:
        return self.provenance.training

    @property
    def history(self) -> list[dict[str, Any]]:
        return self.provenance.history

    @property
    def program(self) -> Hashable:
        return self.architecture

    @property
    def record(self) -> dict[str, Any]:
        """What a run's manifest keeps of the agent."""
        return self.provenance.record(self.architecture, self.greedy)


class Agent(Trained[Network, Architecture]):
    """An experimenter that plays a trained network; see `Trained`, `learning.build`."""

    def check(self, spec: Spec) -> None:
        """Raises UserError when the network cannot play in a world."""
        own = self.architecture
        if tuple(spec.do_values) != tuple(own.do_values):
            raise UserError(
                "do_values", spec.do_values, f"agent {self.name} was trained on {own.do_values}"
            )
        if own.n is not None and spec.n != own.n:
            raise UserError(
                "n", spec.n, f"agent {self.name} (network plain) plays {own.n} variables only; "
                "use an equivariant agent for another number"
            )  # fmt: skip
        if own.most_steps is not None and spec.steps > own.most_steps:
            raise UserError(
                "steps", spec.steps, f"agent {self.name} (network plain) plays at most "
                f"{own.most_steps} steps; use an equivariant agent or fewer experiments"
            )  # fmt: skip

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: Array | None) -> Any:
        self.check(spec)
        return self.network.start(spec.n, spec.steps), jnp.asarray(True)

    def remember(self, state: Any, observation: Observation) -> Any:
        """The state once the latest step has been taken in and its decision has passed."""
        if self.network.remembers_decisions:
            return self._decide(state, observation)[1]
        memory: Any
        memory, first = state
        row, _ = observation_row(observation, first)
        return self.network.remember(memory, row), jnp.asarray(False)

    def _decide(self, state: Any, observation: Observation) -> tuple[Decision, Any]:
        memory: Any
        memory, first = state
        row, cue = observation_row(observation, first)
        memory = self.network.remember(memory, row)
        decision, memory = self.network.decide(memory, cue)
        return decision, (memory, jnp.asarray(False))

    def act(self, state: Any, observation: Observation, key: PRNGKeyArray) -> tuple[Action, Any]:
        decision, state = self._decide(state, observation)
        log_probs = decision.log_probs
        choice = jnp.argmax(log_probs) if self.greedy else jax.random.categorical(key, log_probs)
        values = jnp.asarray(self.architecture.do_values)
        target, value = choice // len(values), values[choice % len(values)]
        return Action(target.astype(jnp.int32), value, log_probs), state


def load_agent(path: str | Path, greedy: bool = True) -> Agent:
    """An agent from its folder, or the shipped one, `pretrained:dag`.

    Raises:
        UserError: no such agent; a file missing, damaged or of another format.
    """
    folder, name = agent_folder(path)
    description = read_description(folder)
    kind = description["architecture"].get("kind")
    if kind == "text":
        raise UserError("agent", name, "it speaks: play it with `seedo perform`")
    if kind in ("relational", "pixels"):
        raise UserError("agent", name, f"its network ({kind}) plays in rooms: add --world rooms")
    architecture = Architecture.from_json(description["architecture"])
    network = read_weights(folder, lambda: build(architecture, 0))
    history = read_history(folder / "metrics.jsonl")
    return Agent(network, architecture, Provenance(name, description["training"], history), greedy)


def agent_folder(path: str | Path) -> tuple[Path, str]:
    """The folder of an agent, shipped or the user's own, and the agent's name."""
    name = str(path)
    if not name.startswith("pretrained:"):
        folder = Path(name)
        return folder, folder.name or name
    shipped = name.partition(":")[2]
    if shipped not in PRETRAINED:
        raise UserError("agent", name, f"shipped agents: {', '.join(PRETRAINED)}")
    return Path(str(resources.files("seedo") / "pretrained" / shipped)), name


def read_weights(folder: Path, make: Callable[[], Tree]) -> Tree:
    """The network that `make` makes, with the stored weights."""
    path = folder / "weights.safetensors"
    # Its shapes only: to draw weights that are replaced at once takes seconds of compiling.
    shapes = eqx.filter_eval_shape(make)
    like: Tree = jax.tree.map(
        lambda leaf: (
            jnp.asarray(np.zeros(leaf.shape, leaf.dtype))
            if isinstance(leaf, jax.ShapeDtypeStruct)
            else leaf
        ),
        shapes,
    )
    return from_bytes(read_file(path), like, path)


def read_file(path: Path) -> bytes:
    """A file of an agent's folder.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(str(path), None, f"cannot read: {error.strerror}") from error


def read_description(folder: Path) -> dict[str, Any]:
    """agent.json, checked."""
    path = folder / "agent.json"
    try:
        text = path.read_text()
    except FileNotFoundError:
        unfinished = (folder / "checkpoint").is_dir() or (folder / "checkpoint.old").is_dir()
        if unfinished:
            remedy = "training is not finished: run the same `seedo learn` with --resume"
        else:
            what = (
                "not an agent folder (no agent.json)"
                if folder.is_dir()
                else "there is no such folder"
            )
            remedy = f"{what}: give one that `seedo learn` wrote, pretrained:NAME or scripted:NAME"
        raise UserError("agent", str(folder), remedy) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(str(path), None, f"cannot read: {error}") from error
    try:
        description = json.loads(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise UserError(str(path), None, f"not JSON ({error}): restore or train again") from error
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        found = description.get("format") if isinstance(description, dict) else None
        raise UserError(
            f"{path}: format", found, f"this version reads format {FORMAT}: train again"
        )
    for field in ("architecture", "training"):
        if not isinstance(description.get(field), dict):
            raise UserError(f"{path}: {field}", description.get(field), "must be an object")
    return description


def read_history(path: Path) -> list[dict[str, Any]]:
    """Rows of a metrics.jsonl; none when the file is missing."""
    try:
        return [json.loads(line) for line in path.read_text().splitlines()]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(str(path), None, f"not JSON lines ({error}): delete or restore") from error


def count_parameters(network: Any) -> int:
    return sum(x.size for x in jax.tree.leaves(eqx.filter(network, eqx.is_array)))
