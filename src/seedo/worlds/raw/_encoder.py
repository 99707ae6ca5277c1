"""From what is shown to variables: a small network, kept as safetensors and JSON in a folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from safetensors import SafetensorError
from safetensors.numpy import load, save

from seedo.episodes import write_atomic
from seedo.errors import UserError, is_number

ABOUT = "abstraction.json"
"""File of an abstraction that says what it is."""
WEIGHTS = "encoder.safetensors"
FORMAT, VERSION = "seedo-abstraction", 1
_SHOWS = {"drawing", "drawing_seed", "hands", "raw_noise"}
_AS_WRITTEN: dict[str, Callable[[Any], bool]] = {
    "sha256": lambda x: isinstance(x, str),
    "n": lambda x: isinstance(x, int) and not isinstance(x, bool),
    "shows": lambda x: x is None or (isinstance(x, dict) and set(x) == _SHOWS),
    "not_separable": lambda x: isinstance(x, list) and all(isinstance(k, str) for k in x),
}
"""What worlds go by in `abstraction.json`."""


class Encoder(NamedTuple):
    """A perceptron on principal components of what is shown, and its inverse.

    Attributes:
        centre, components: of what is shown, f32[D] and f32[D, C].
        layers: weights and offsets of the perceptron from components to n variables.
        spread: standard deviations of the components, f32[C]; scale: of the variables, and their
            means before that: f32[n] each.
        back: weights and offsets from n + k variables back to components.
        weight: what is shown is multiplied by this, f32[D], before components are taken of it; 0:
            left out, NaN or not. None: by 1.
    """

    centre: Any
    components: Any
    spread: Any
    mean: Any
    scale: Any
    layers: list[tuple[Any, Any]]
    back: list[tuple[Any, Any]]
    weight: Any = None

    def __call__(self, raw: Float[Array, "*B D"]) -> Float[Array, "*B n"]:
        """Variables of what is shown, flattened."""
        return perceptron(self.layers, self.reduced(raw)) * self.scale + self.mean

    def reduced(self, raw: Float[Array, "*B D"]) -> Float[Array, "*B C"]:
        """Components of what is shown, of unit variance."""
        if self.weight is not None:
            raw = jnp.where(self.weight > 0, raw, 0.0) * self.weight
        return (raw - self.centre) @ self.components / self.spread

    def shown(self, variables: Float[Array, "*B n"]) -> Float[Array, "*B D"]:
        """What would be shown of variables, flattened; NaN: left out."""
        found = perceptron(self.back, (variables - self.mean) / self.scale)
        again = found * self.spread @ self.components.T + self.centre
        if self.weight is None:
            return again
        return again / jnp.where(self.weight > 0, self.weight, jnp.nan)


def perceptron(layers: list[tuple[Any, Any]], x: Float[Array, "*B C"]) -> Float[Array, "*B n"]:
    """Affine maps with smooth steps (GELU) between them."""
    for number, (weight, offset) in enumerate(layers):
        x = x @ weight + offset
        if number + 1 < len(layers):
            x = jax.nn.gelu(x)
    return x


def save_encoder(folder: Path, encoder: Encoder, about: dict[str, Any]) -> None:
    """Write the folder; `abstraction.json`, which holds `about`, comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    data = save(_named(encoder))
    write_atomic(folder / WEIGHTS, data)
    told = {"format": FORMAT, "version": VERSION, "sha256": hashlib.sha256(data).hexdigest()}
    write_atomic(folder / ABOUT, json.dumps(told | about, indent=1, sort_keys=True).encode())


def _named(encoder: Encoder) -> dict[str, np.ndarray]:
    plain = encoder._asdict()
    arrays = {name: plain[name] for name in plain if name not in ("layers", "back")}
    if encoder.weight is None:
        del arrays["weight"]
    for part in ("layers", "back"):
        for number, (weight, offset) in enumerate(plain[part]):
            arrays |= {f"{part}.{number}.weight": weight, f"{part}.{number}.offset": offset}
    return {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}


def read_about(folder: Path) -> dict[str, Any]:
    """What `abstraction.json` says.

    Raises:
        UserError: no abstraction, one of another version, or not as it was written.
    """
    path = folder / ABOUT
    try:
        about = json.loads(path.read_text())
        right = about["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        remedy = f"holds no {ABOUT}: write one with `seedo abstract LOGS --out {folder}`"
        raise UserError(str(folder), None, remedy) from error
    if not right or about.get("version") != VERSION:
        remedy = f"another format or version: this version of Seedo reads version {VERSION}"
        raise UserError(str(path), about.get("version"), remedy)
    for name, right in _AS_WRITTEN.items():
        if not right(about.get(name)):
            raise UserError(str(path), None, f"{name} is not as it was written: abstract again")
    return dict(about)


def errors_told(about: dict[str, Any]) -> tuple[float, ...] | None:
    """Root mean squared error of every variable, in its unit; None where it is not told of each."""
    try:
        found = tuple(knob["error"]["value"] for knob in about["knobs"])
    except (KeyError, TypeError):
        return None
    return found if len(found) == about["n"] and all(map(is_number, found)) else None


def range_told(about: dict[str, Any]) -> tuple[float, float] | None:
    """The smallest and largest that knobs were set to in what was learnt from; None: not told."""
    ends = about.get("set")
    if not (isinstance(ends, list) and len(ends) == 2 and all(map(is_number, ends))):
        return None
    return ends[0], ends[1]


def load_encoder(folder: Path) -> tuple[Encoder, dict[str, Any]]:
    """The encoder of a folder, and what `abstraction.json` says.

    Raises:
        UserError: no abstraction, or a damaged one.
    """
    about = read_about(folder)
    path = folder / WEIGHTS
    try:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != about["sha256"]:
            raise UserError(str(path), None, "is not the file that was written: abstract again")
        arrays = load(data)
        parts: dict[str, list[tuple[Any, Any]]] = {}
        for part in ("layers", "back"):
            count = sum(name.startswith(f"{part}.") for name in arrays) // 2
            parts[part] = [
                (arrays[f"{part}.{i}.weight"], arrays[f"{part}.{i}.offset"]) for i in range(count)
            ]
        plain = [arrays[name] for name in ("centre", "components", "spread", "mean", "scale")]
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise UserError(str(path), None, f"cannot be read: {error}") from error
    encoder = Encoder._make([*plain, parts["layers"], parts["back"], arrays.get("weight")])
    return jax.tree.map(jnp.asarray, encoder), about
