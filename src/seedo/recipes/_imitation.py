"""How to imitate logs."""

from __future__ import annotations

from dataclasses import dataclass

from seedo.errors import UserError
from seedo.recipes._settings import (
    LARGEST_SEED,
    Checked,
    choice,
    count,
    not_negative,
    positive,
    setting,
    widths,
)

EXPLANATIONS = ("none", "predict", "shuffled", "irrelevant", "wrong", "input")
"""What is done with the explanations in logs."""
PRECISIONS = ("float32", "bfloat16")
"""Of the network's arithmetic."""


@dataclass(frozen=True)
class Training(Checked):
    """What imitation of logs and DAgger have in common. None: the default of the network."""

    network: str | None = setting(
        None, "Kind of network, see `seedo list networks`; or hf:FOLDER, a pretrained model."
    )
    widths: tuple[tuple[str, int], ...] = setting(
        (), "Widths in place of the network's defaults, e.g. size=64.", widths, "--width"
    )
    epochs: float | None = setting(1.0, "Passes over the logs.", positive)
    batch_size: int | None = setting(None, "Episodes a step.", count(1, 65_536))
    learning_rate: float | None = setting(
        None, "Peak of a cosine schedule with a warm-up.", positive
    )
    weight_decay: float = setting(1e-4, "Decoupled weight decay.", not_negative)
    explore_weight: float | None = setting(
        None, "Weight of the exploration loss beside exploitation.", not_negative
    )
    precision: str = setting(
        "float32", "Of activations: float32, or bfloat16 on accelerators.", choice(*PRECISIONS)
    )
    devices: int = setting(1, "Devices that share each minibatch.", count(1, 65_536))
    start: str | None = setting(None, "Agent with the same network to go on from.", None, "--from")
    seed: int = setting(0, "Fixes all that is random.", count(0, LARGEST_SEED))

    rename: bool = setting(
        False,
        "Rename each watched episode's variables at random: a symmetry by augmentation.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.batch_size or 0) % self.devices:
            raise UserError("batch_size", self.batch_size, f"must divide by {self.devices} devices")


@dataclass(frozen=True)
class Recipe(Training):
    """How to imitate logs.

    Either `epochs` or `minutes`; with minutes the number of steps, and so the result, depends on
    the machine. For explanations, `predict` adds the loss of saying what logged explanations say
    (of `dag`: the edges that they name). Rooms have controls too: words said at another step of
    another episode (`shuffled`), true ones about the agent's own place (`irrelevant`), false
    verdicts (`wrong`), or explanations as input instead of a target (`input`).
    """

    minutes: float | None = setting(None, "Wall-clock limit in place of epochs.", positive)
    explanations: str = setting(
        "none",
        "none, or predict; in rooms also shuffled, irrelevant, wrong, input.",
        choice(*EXPLANATIONS),
    )
    explanation_weight: float = setting(
        1.0, "Weight of predicting explanations beside exploiting.", not_negative
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.epochs is None) == (self.minutes is None):
            raise UserError("epochs", self.epochs, "give either epochs or minutes, not both")
