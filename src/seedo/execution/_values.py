"""Answers that are more than JSON: arrays, tuples and this package's own records, as JSON.

Both ends run the same version of Seedo, so records travel by the name of their class and their
fields. Nothing is ever called but classes of this package that only hold fields.
"""

from __future__ import annotations

import base64
import dataclasses
import math
from typing import Any

import numpy as np

from seedo.plugins import resolve

_TAG = "#"
_OWN = "seedo."


def pack(value: Any) -> Any:
    """A value as JSON has it: numbers, text, lists, dicts, tuples, arrays, and dataclasses and
    named tuples of this package, in any depth.

    Raises:
        TypeError: it holds something else.
    """
    match value:
        case None | bool() | int() | str() if type(value) in (type(None), bool, int, str):
            return value
        case float() if type(value) is float:
            return value if math.isfinite(value) else {_TAG: "float", "of": repr(value)}
        case list():
            return [pack(one) for one in value]
        case dict():
            return {_TAG: "dict", "of": [[pack(k), pack(v)] for k, v in value.items()]}
        case np.ndarray() | np.generic():
            return _packed_array(value)
        case tuple() if not hasattr(value, "_fields"):
            return {_TAG: "tuple", "of": [pack(one) for one in value]}
    return _packed_record(value)


def _packed_array(value: Any) -> dict[str, Any]:
    array, single = np.asarray(value), isinstance(value, np.generic)
    if array.dtype == object:
        return {_TAG: "objects", "shape": array.shape, "of": [pack(v) for v in array.ravel()]}
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {_TAG: "array", "type": array.dtype.str, "shape": array.shape, "of": data, "one": single}


def _packed_record(value: Any) -> dict[str, Any]:
    kind = type(value)
    name = f"{kind.__module__}:{kind.__qualname__}"
    fields = _fields(kind)
    if fields is None or not name.startswith(_OWN):
        raise TypeError(f"{name} does not travel")
    return {_TAG: name, "of": {field: pack(getattr(value, field)) for field in fields}}


def unpack(told: Any) -> Any:
    """What `pack` made.

    Raises:
        TypeError: it names what is no record of this package.
    """
    if isinstance(told, list):
        return [unpack(one) for one in told]
    if not isinstance(told, dict):
        return told
    kind, of = told[_TAG], told["of"]
    match kind:
        case "float":
            return float(of)
        case "dict":
            return {unpack(k): unpack(v) for k, v in of}
        case "tuple":
            return tuple(unpack(one) for one in of)
        case "objects":
            array = np.empty(len(of), object)
            array[:] = [unpack(one) for one in of]
            return array.reshape(told["shape"])
        case "array":
            found = np.frombuffer(base64.b64decode(of), told["type"]).reshape(told["shape"])
            return found[()] if told["one"] else found.copy()
    return _record(kind, of)


def _record(name: str, of: dict[str, Any]) -> Any:
    kind = resolve(name, "record") if name.startswith(_OWN) else None
    fields = _fields(kind)
    if fields is None or set(fields) != set(of):
        raise TypeError(f"{name} is no record of this version")
    values = {field: unpack(one) for field, one in of.items()}
    if hasattr(kind, "_fields"):
        return kind(**values)  # type: ignore[misc]
    made = object.__new__(kind)  # type: ignore[arg-type]
    for field, one in values.items():
        object.__setattr__(made, field, one)
    return made


def _fields(kind: Any) -> tuple[str, ...] | None:
    """Names of what a record holds; None: it is no class of records."""
    if not isinstance(kind, type):
        return None
    if dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind))
    return getattr(kind, "_fields", None) if issubclass(kind, tuple) else None
