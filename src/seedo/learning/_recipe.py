"""Settings of ways to learn: what each is, in one line, and what it may be."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

import jax

from seedo.errors import UserError, one_of, whole

EXPLANATIONS = ("none", "predict", "shuffled", "irrelevant", "wrong", "input")
PRECISIONS = ("float32", "bfloat16")
LARGEST_SEED = 2**32 - 1

Check = Callable[[str, Any], None]
"""(field, value) -> None; raises UserError for a value that it may not have."""


def setting(
    default: Any = MISSING, help: str = "", check: Check | None = None, option: str | None = None
) -> Any:
    """A field of a recipe.

    Args:
        help: one line. check: what it may be; None where the field says so by its type.
        option: of the command line, where it is not the field's name.
    """
    return field(default=default, metadata={"help": help, "check": check, "option": option})


def count(lowest: int, highest: int) -> Check:
    """A whole number within bounds."""
    return lambda name, value: whole(name, value, lowest, highest)


def choice(*options: str) -> Check:
    """One of some words."""
    return lambda name, value: one_of(name, value, options)


def _number(allowed: Callable[[float], bool], remedy: str) -> Check:
    def check(name: str, value: Any) -> None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number and math.isfinite(value) and allowed(value)):
            raise UserError(name, value, f"use a {remedy}")

    return check


positive = _number(lambda x: x > 0, "finite number above 0")
not_negative = _number(lambda x: x >= 0, "finite number, 0 or more")
share = _number(lambda x: 0 <= x <= 1, "number from 0 to 1")
some_share = _number(lambda x: 0 < x <= 1, "number above 0, up to 1")
between = _number(lambda x: 0 < x < 1, "number between 0 and 1")


def widths(name: str, value: Any) -> None:
    for entry in value:
        if not (isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str)):
            raise UserError(name, entry, "give pairs of a name and a whole number")


class Checked:
    """A dataclass whose fields are checked when it is made."""

    def __post_init__(self) -> None:
        own: Any = self
        for each in fields(own):
            value, check = getattr(self, each.name), each.metadata["check"]
            if check is not None and not (value is None and "None" in str(each.type)):
                check(each.name, value)


@dataclass(frozen=True)
class Training(Checked):
    """What imitation of logs and DAgger have in common. None: the default of the network."""

    network: str | None = setting(None, "Kind of network; see `seedo list networks`.")
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
    devices: int = setting(1, "Devices that share each minibatch.")
    start: str | None = setting(None, "Agent with the same network to go on from.", None, "--from")
    seed: int = setting(0, "Fixes all that is random.", count(0, LARGEST_SEED))

    def __post_init__(self) -> None:
        super().__post_init__()
        available = len(jax.devices())
        if not 1 <= self.devices <= available:
            raise UserError("devices", self.devices, f"this machine offers 1 to {available}")
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
