"""How to tune a pretrained language model on watched experiments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from seedo.errors import UserError
from seedo.recipes._imitation import PRECISIONS
from seedo.recipes._settings import (
    LARGEST_SEED,
    Checked,
    choice,
    count,
    not_negative,
    positive,
    setting,
    share,
)

HUB = "hf:"
"""How the name of a pretrained model begins; its folder follows."""


@dataclass(frozen=True)
class TuningRecipe(Checked):
    """How to go on training a pretrained language model, in the format of Hugging Face, on watched
    episodes in words."""

    network: str = setting(help="The model: hf:FOLDER.")
    epochs: float = setting(1.0, "Passes over the logs.", positive)
    batch_size: int = setting(8, "Episodes a step.", count(1, 65_536))
    learning_rate: float | None = setting(
        None, "Peak; by default 1e-4, with --lora 5e-4.", positive
    )
    weight_decay: float = setting(0.0, "Decoupled weight decay.", not_negative)
    explore_weight: float = setting(
        0.5, "Weight of the exploration loss beside exploitation.", not_negative
    )
    loss_on: str = setting(
        "actions",
        "What is learnt: actions, what the experimenter said; or results, what it was told, which "
        "teaches no acting and is there to compare with.",
        choice("actions", "results"),
    )
    precision: str = setting(
        "float32", "Of activations: float32, or bfloat16.", choice(*PRECISIONS)
    )
    lora: int = setting(0, "Rank of low-rank adapters; 0: the weights themselves.", count(0, 4096))
    freeze: int = setting(
        0, "Lowest layers that stay as they are, and the embeddings with them.", count(0, 10_000)
    )
    prompt: tuple[str, ...] = setting((), "Switches of the prompt, e.g. names=letters.")
    slips: float = setting(
        0.0,
        "Share of the actions that are miswritten first and put right once refused; the slip "
        "itself is not learnt.",
        share,
    )
    seed: int = setting(0, "Fixes all that is random.", count(0, LARGEST_SEED))

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.network.startswith(HUB) or self.network == HUB:
            raise UserError("network", self.network, "name the folder of a model: hf:FOLDER")
        if not Path(self.network.removeprefix(HUB)).exists():
            remedy = "no such folder: download the model first (files of this machine are read)"
            raise UserError("network", self.network, remedy)

    @property
    def rate(self) -> float:
        """The peak of the learning rate."""
        return self.learning_rate or (5e-4 if self.lora else 1e-4)
