"""What training needs to know of the kind of world that logs come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from jaxtyping import Array, Float

from understudy.episodes import EpisodeBatch


class Course(NamedTuple):
    """How logs of one kind of world are learnt from.

    Attributes:
        architecture: of the network; has `to_json`.
        network: freshly initialised.
        lesson: (dataset index, minibatch, step) -> what `losses` takes.
        heldout: (dataset index, batch) -> the same, of episodes that are not trained on.
        losses: (network, lesson, dtype) -> exploration, exploitation and explanation loss.
        loss_weights: of the three. explaining: name of the third in metrics.jsonl; "": not learnt.
        load: the finished agent from its folder.
    """

    architecture: Any
    network: Any
    lesson: Callable[[int, EpisodeBatch, int], Any]
    heldout: Callable[[int, EpisodeBatch], Any]
    losses: Callable[[Any, Any, Any], Float[Array, " 3"]]
    loss_weights: tuple[float, float, float]
    explaining: str
    load: Callable[[Path], Any]
