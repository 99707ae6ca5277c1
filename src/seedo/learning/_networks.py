"""Networks by name, and what they can be used for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import jax

from seedo.errors import UserError
from seedo.learning._equivariant import Equivariant
from seedo.learning._plain import Plain
from seedo.learning._sighted import Sighted
from seedo.learning._tokens import Tokens

Network = Equivariant | Plain | Tokens

_BUILDERS: dict[str, Callable[..., Network]] = {
    "equivariant": Equivariant,
    "plain": Plain,
    "plain-copy": partial(Plain, copies=True),
    "plain-raw": Sighted,
    "tokens": Tokens,
    "tokens-frozen": partial(Tokens, frozen=True),
    "scratchpad": partial(Tokens, states=True),
    "scratchpad-alone": partial(Tokens, states=True, alone=True),
    "retrieval": partial(Tokens, looks_up=True),
}
KINDS = tuple(_BUILDERS)
"""Kinds of networks, as `Recipe.network` names them."""
SYMMETRIC = ("equivariant",)
"""Kinds that play any number of variables and steps; the others are built for one."""
READS_RAW = ("plain-raw",)
"""Kinds that read what raw worlds show, in place of variables."""
_STEPS, _TOKENS = {"size": 128, "heads": 4, "layers": 4}, {"size": 64, "heads": 4, "layers": 3}
WIDTHS: dict[str, dict[str, int]] = {
    "equivariant": {"size": 48, "channels": 16, "layers": 3, "learnt": 8},
    "plain": _STEPS,
    "plain-copy": _STEPS,
    "plain-raw": _STEPS | {"numbers": 3072, "sight": 256},
    "tokens": _TOKENS,
    "tokens-frozen": _TOKENS,
    "scratchpad": _TOKENS,
    "scratchpad-alone": _TOKENS,
    "retrieval": _TOKENS,
}
"""Default widths; each can be overridden by name."""


@dataclass(frozen=True)
class Architecture:
    """Everything that fixes a network's shape.

    Attributes:
        kind: one of `KINDS`.
        do_values: the grid of values it chooses from.
        widths: see `WIDTHS`.
        n, most_steps: its variables and most steps; None for kinds that are `SYMMETRIC`.
    """

    kind: str
    do_values: tuple[float, ...]
    widths: dict[str, int]
    n: int | None = None
    most_steps: int | None = None

    def __hash__(self) -> int:
        return hash((self.kind, self.do_values, *sorted(self.widths.items()), self.n))

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"do_values": list(self.do_values)}

    @staticmethod
    def from_json(fields: Any) -> Architecture:
        """Raises UserError when the fields do not describe a network."""
        expected = set(Architecture.__dataclass_fields__)
        if not isinstance(fields, dict) or set(fields) != expected:
            raise UserError("architecture", None, f"must be an object with {sorted(expected)}")
        try:
            values = tuple(float(v) for v in fields["do_values"])
        except (TypeError, ValueError):
            raise UserError("do_values", fields["do_values"], "must be numbers") from None
        return architecture(
            fields["kind"], values, fields["n"], fields["most_steps"], fields["widths"]
        )


def architecture(
    kind: str,
    do_values: tuple[float, ...],
    n: int | None,
    most_steps: int | None,
    widths: dict[str, int] | None = None,
) -> Architecture:
    """An architecture with default widths where none are given.

    Raises:
        UserError: unknown kind or width, or a width that is not a positive whole number.
    """
    if kind not in KINDS:
        raise UserError("network", kind, f"use one of {', '.join(KINDS)}")
    merged = merge_widths(kind, WIDTHS[kind], widths)
    if kind in SYMMETRIC:
        return Architecture(kind, do_values, merged)
    if merged["size"] % merged["heads"]:
        raise UserError("width size", merged["size"], f"must divide by {merged['heads']} heads")
    return Architecture(kind, do_values, merged, n, most_steps)


def merge_widths(
    kind: str, defaults: dict[str, int], widths: dict[str, int] | None
) -> dict[str, int]:
    """A network's widths, the user's own in place of defaults."""
    merged = dict(defaults)
    for name, width in (widths or {}).items():
        if name not in merged:
            raise UserError(f"width {name}", width, f"{kind} has {', '.join(merged)}")
        if not isinstance(width, int) or isinstance(width, bool) or not 1 <= width <= 4096:
            raise UserError(f"width {name}", width, "use a whole number from 1 to 4096")
        merged[name] = width
    return merged


def build(architecture: Architecture, seed: int) -> Network:
    """A freshly initialised network."""
    key, make = jax.random.key(seed), _BUILDERS[architecture.kind]
    if architecture.kind in SYMMETRIC:
        return make(architecture.do_values, **architecture.widths, key=key)
    own = (architecture.do_values, architecture.n, architecture.most_steps)
    return make(*own, **architecture.widths, key=key)
