"""A trained rooms network that acts, and the folder it lives in."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from seedo.errors import UserError
from seedo.learning._agent import Provenance, Trained
from seedo.learning._folder import Stored, read_weights
from seedo.learning._networks import merge_widths
from seedo.learning._rooms_attention import AttentionNetwork
from seedo.learning._rooms_eye import glimpse
from seedo.learning._rooms_network import RoomsNetwork
from seedo.worlds import Action, Spec
from seedo.worlds.rooms import (
    MAX_WORDS,
    NOTHING,
    VARIABLES,
    RoomsObservation,
    action_setting,
    vocabulary,
)

_WIDTHS = {"size": 64, "objects": 48, "code": 32, "attentions": 4, "pointers": 4}
_ORDINARY = {"size": 48, "blocks": 1, "heads": 4}
ROOMS_WIDTHS: dict[str, dict[str, int]] = {
    "relational": _WIDTHS,
    "pixels": {width: size for width, size in _WIDTHS.items() if width != "code"},
    "attention": _ORDINARY,
    "attention-pixels": _ORDINARY,
}
"""Kinds of networks and their default widths; each can be overridden by name."""


@dataclass(frozen=True)
class RoomsArchitecture:
    """Everything that fixes a rooms network's shape.

    Attributes:
        kind: `relational` or `attention`, which read symbolic observations; `pixels` or
            `attention-pixels`, which see frames. widths: see `ROOMS_WIDTHS`.
        listens: it takes explanations as input.
        words: the vocabulary that it names things with.
    """

    kind: str
    widths: dict[str, int]
    listens: bool = False
    words: tuple[str, ...] = vocabulary

    @property
    def sees(self) -> bool:
        """Whether it is shown frames."""
        return self.kind.endswith("pixels")

    def __hash__(self) -> int:
        return hash((self.kind, *sorted(self.widths.items()), self.listens))

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"words": list(self.words)}

    @staticmethod
    def from_json(fields: Any) -> RoomsArchitecture:
        """Raises UserError when the fields do not describe a rooms network of this version."""
        expected = set(RoomsArchitecture.__dataclass_fields__)
        if not isinstance(fields, dict) or set(fields) != expected:
            raise UserError("architecture", None, f"must be an object with {sorted(expected)}")
        if fields["words"] != list(vocabulary):
            raise UserError("words", None, "another vocabulary than this version's: train again")
        return rooms_architecture(fields["kind"], fields["widths"], bool(fields["listens"]))


def rooms_architecture(
    kind: str, widths: dict[str, int] | None = None, listens: bool = False
) -> RoomsArchitecture:
    """An architecture with default widths where none are given.

    Raises:
        UserError: unknown kind or width, or a width that is not a positive whole number.
    """
    if kind not in ROOMS_WIDTHS:
        raise UserError("network", kind, f"rooms: use one of {', '.join(ROOMS_WIDTHS)}")
    return RoomsArchitecture(kind, merge_widths(kind, ROOMS_WIDTHS[kind], widths), listens)


def build_rooms(architecture: RoomsArchitecture, seed: int) -> RoomsNetwork | AttentionNetwork:
    """A freshly initialised network."""
    ordinary = architecture.kind.startswith("attention")
    return (AttentionNetwork if ordinary else RoomsNetwork)(
        len(vocabulary),
        MAX_WORDS,
        **architecture.widths,
        listen=architecture.listens,
        pixels=architecture.sees,
        key=jax.random.key(seed),
    )


class RoomsAgent(Trained[RoomsNetwork | AttentionNetwork, RoomsArchitecture]):
    """A player of world `rooms` that plays a trained network; see `Trained`, `build_rooms`.

    Its actions carry the words that it expects to be said.
    """

    def check(self, spec: Spec) -> None:
        """Raises UserError where the world is not one of rooms."""
        if spec.variables != VARIABLES:
            raise UserError("agent", self.name, "plays in world rooms only")

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: None) -> Array:
        return self.network.start()

    def act(
        self, memory: Array, observation: RoomsObservation, key: PRNGKeyArray
    ) -> tuple[Action, Array]:
        seen, network = observation.symbolic, self.network
        shown = seen if network.eye is None else (seen, glimpse(observation.frame))
        heard = observation.words if self.architecture.listens else None
        memory, verdict = network.step(memory, shown, heard)
        likely, drawn = jnp.argmax(verdict.logits), jax.random.categorical(key, verdict.logits)
        # There is nothing to do while a verdict is dwelt on; nor did those it learnt from.
        idle = (seen.chosen >= 0) | seen.finished
        number = jnp.where(idle, NOTHING, likely if self.greedy else drawn)
        expected = jnp.argmax(verdict.words, -1).astype(jnp.int32)
        return Action(*action_setting(number), said=expected), memory


def load_rooms_agent(stored: Stored, greedy: bool) -> RoomsAgent:
    """An agent from its folder."""
    plan = RoomsArchitecture.from_json(stored.architecture)
    network = read_weights(stored.folder, lambda: build_rooms(plan, 0))
    past = Provenance(stored.name, stored.training, stored.history)
    return RoomsAgent(network, plan, past, greedy)
