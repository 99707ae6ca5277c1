"""How large a model is, as far as its name or its files tell."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

from safetensors import SafetensorError, safe_open

SMALL = 3e9
"""Parameters below which a model is shown examples unless the user says otherwise."""

_ADAPTER = "adapter_config.json"
"""What PEFT writes beside low-rank adapters; it names the model that they are for."""
_SIZE = re.compile(r"(?<![\w.])(?:e|a)?(\d{1,4}(?:\.\d{1,3})?)\s?([bm])(?![a-z])", re.IGNORECASE)


def parameters(model: str) -> float | None:
    """About how many parameters a model has, None where nothing tells.

    Args:
        model: as Inspect names it; the last number with B or M in its name counts (`1.5B`,
            `135M`), or the weights in a local folder (`hf/FOLDER`); of a folder of adapters those
            of their model too, where that lies in a folder.
    """
    provider, _, name = model.partition("/")
    folder = Path(name)
    if provider == "hf" and folder.is_dir():
        return _with_base(folder) if (folder / _ADAPTER).is_file() else _stored(folder)
    told = _SIZE.findall(name.rpartition("/")[2].replace("_", "-"))
    if not told:
        return None
    number, unit = told[-1]
    return float(number) * (1e9 if unit.casefold() == "b" else 1e6)


def _with_base(folder: Path) -> float | None:
    """As `_stored`, of adapters and the model that they are for; None where that is not here."""
    try:
        base = Path(json.loads((folder / _ADAPTER).read_text())["base_model_name_or_path"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if not base.is_dir() or (base / _ADAPTER).is_file():
        return None
    own, whole = _stored(folder), _stored(base)
    return None if own is None or whole is None else own + whole


def _stored(folder: Path) -> float | None:
    """How many numbers the weights in a folder are, as the heads of the files say."""
    count = 0
    try:
        for file in folder.glob("*.safetensors"):
            with safe_open(file, "np") as arrays:
                for name in arrays.keys():
                    count += math.prod(arrays.get_slice(name).get_shape())
    except (SafetensorError, OSError):
        return None
    return float(count) or None


def is_small(model: str) -> bool:
    """Whether a model is known to have fewer than `SMALL` parameters."""
    known = parameters(model)
    return known is not None and known < SMALL
