"""What training needs to know of the kind of world that logs come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from jaxtyping import Array, Float

from seedo.episodes import EpisodeBatch
from seedo.learning._objective import optimiser
from seedo.learning._weights import to_bytes


def weights_file(network: Any) -> dict[str, bytes]:
    """weights.safetensors."""
    return {"weights.safetensors": to_bytes(network)}


class Course(NamedTuple):
    """How logs of one kind of world are learnt from.

    Attributes:
        architecture: of the network; has `to_json`.
        network: freshly initialised.
        lesson: (dataset index, minibatch, step) -> what `losses` takes.
        heldout: (dataset index, batch) -> the same, of episodes that are not trained on.
        losses: (network, lesson, dtype) -> exploration, exploitation and explanation loss.
        loss_weights: of the three. explaining: name of the third in metrics.jsonl; "": not learnt.
        optimiser: weight decay -> what turns gradients into updates, less the learning rate.
        files: network -> the files that hold the finished network, its weights first.
    """

    architecture: Any
    network: Any
    lesson: Callable[[int, EpisodeBatch, int], Any]
    heldout: Callable[[int, EpisodeBatch], Any]
    losses: Callable[[Any, Any, Any], Float[Array, " 3"]]
    loss_weights: tuple[float, float, float]
    explaining: str
    optimiser: Callable[[float], Any] = optimiser
    files: Callable[[Any], dict[str, bytes]] = weights_file
