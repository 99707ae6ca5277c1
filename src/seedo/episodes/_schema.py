"""The columns of an episode log, and batches to and from Arrow tables.

Tables are made from flat buffers and offsets, without a loop over episodes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from seedo import __version__
from seedo.episodes._batch import EpisodeBatch
from seedo.episodes._origin import Origin
from seedo.errors import UserError
from seedo.tables import check_unpacked

SCHEMA_KEY = "seedo_schema"
"""Key of a shard's metadata that says which version of the format it has."""
OLD_SCHEMA_KEY = "understudy_schema"
"""Of logs written before the project had its name: read for ever."""
SCHEMA_VERSION = "2"
"""Of new logs; those of version 1 are read for ever."""

SCHEMA = pa.schema(
    {
        "episode_id": pa.int64(),
        "world": pa.string(),
        "world_config": pa.string(),
        "split": pa.string(),
        "seed": pa.int64(),
        "experimenter": pa.string(),
        "variables": pa.list_(pa.string()),
        "phase": pa.list_(pa.int8()),
        "setting": pa.list_(pa.list_(pa.float32())),
        "outcome": pa.list_(pa.list_(pa.float32())),
        "mask": pa.list_(pa.bool_()),
        "goal": pa.list_(pa.int16()),
        "action_logits": pa.list_(pa.list_(pa.float32())),
        "explanation": pa.list_(pa.string()),
        "returns": pa.float32(),
        "oracle_return": pa.float32(),
        "random_return": pa.float32(),
        "system": pa.string(),
        "created": pa.string(),
        "seedo_version": pa.string(),
    },
    metadata={SCHEMA_KEY: SCHEMA_VERSION},
)
"""One row an episode; the file metadata carry the schema's version and, as JSON, types and levels
of the variables where there are some."""

_KINDS = {"types": "seedo_types", "levels": "seedo_levels"}
_VERSION_1 = (pa.field("target", pa.list_(pa.int16())), pa.field("value", pa.list_(pa.float32())))
"""What stood in place of `setting` in version 1."""

PARTICIPANT = pa.field("participant", pa.string())
"""A further column, only in logs of people: whose the episode is."""
LABELS = (
    pa.field("label_target", pa.list_(pa.int16())),
    pa.field("label_value", pa.list_(pa.float32())),
)
"""Further columns, only in logs with labels: what an expert would have done."""
_FURTHER = (PARTICIPANT, *LABELS)

_PROGRAM = "seedo_version"  # a note for people: nothing reads it
_CONSTANT = ("world", "world_config", "split", "experimenter", "created", "seedo_version")
_DICTIONARY = [
    *_CONSTANT,
    "seed",
    *(f"{name}.list.element" for name in ("variables", "phase", "goal", "explanation")),
    "setting.list.element.list.element",
]
_SPLIT = {
    "outcome.list.element.list.element": "BYTE_STREAM_SPLIT",
    "action_logits.list.element.list.element": "BYTE_STREAM_SPLIT",
    "returns": "BYTE_STREAM_SPLIT",
    "oracle_return": "BYTE_STREAM_SPLIT",
    "random_return": "BYTE_STREAM_SPLIT",
    "episode_id": "DELTA_BINARY_PACKED",
}


def to_arrow(batch: EpisodeBatch) -> pa.Table:
    """The batch as a table with the columns of `SCHEMA`, and `PARTICIPANT` and `LABELS` where there
    are some; constant texts as dictionaries."""
    B, n, origin = batch.rows, batch.n, batch.origin
    names = np.tile(np.arange(n, dtype=np.int32), B)
    ready = {
        "seed": pa.array(np.full(B, origin.seed, np.int64)),
        "variables": _lists(_dictionary(names, origin.variables), B, n),
        _PROGRAM: _dictionary(np.zeros(B, np.int32), [__version__]),
    }
    columns = {}
    for field in (*SCHEMA, *_FURTHER):
        if field.name in ready:
            column = ready[field.name]
        elif field.name in _CONSTANT:
            text = getattr(origin, field.name)
            column = _dictionary(np.zeros(B, np.int32), [text]) if text is not None else None
        else:
            given = getattr(batch, field.name)
            column = None if given is None else _entries(field, given, B, batch.steps)
        if column is not None or field not in _FURTHER:
            columns[field.name] = pa.nulls(B, field.type) if column is None else column
    return pa.table(columns, metadata=_metadata(origin))


def _dictionary(codes: NDArray[np.int32], texts: Sequence[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(list(texts), pa.string()))


def _entries(field: pa.Field, given: Any, rows: int, steps: int) -> pa.Array:
    """An array or texts of a batch as a column; in `setting` NaN becomes null."""
    if isinstance(given, np.ndarray):
        shape = given.shape
        column = pa.array(
            np.ascontiguousarray(given).reshape(-1), from_pandas=field.name == "setting"
        )
    else:
        shape = (rows, steps) if pa.types.is_list(field.type) else (rows,)
        texts = [text for said in given for text in said] if len(shape) == 2 else given
        column = pa.array(texts, pa.string())
    for axis in range(len(shape) - 1, 0, -1):
        column = _lists(column, math.prod(shape[:axis]), shape[axis])
    return column


def _metadata(origin: Origin) -> dict[str, str]:
    kinds = {key: getattr(origin, name) for name, key in _KINDS.items()}
    return {
        SCHEMA_KEY: SCHEMA_VERSION,
        **{key: json.dumps(given) for key, given in kinds.items() if given is not None},
    }


def to_parquet(batch: EpisodeBatch) -> pa.Buffer:
    """The bytes of a Parquet file with these episodes: the same bytes for the same batch."""
    table = to_arrow(batch)
    sink = pa.BufferOutputStream()
    writer = pq.ParquetWriter(
        sink,
        table.schema,
        compression="zstd",
        use_dictionary=_DICTIONARY + [PARTICIPANT.name] * (batch.participant is not None),
        column_encoding=_SPLIT,
        # Page headers of version 2 would leave the list structure uncompressed.
        data_page_version="1.0",
        # Else readers would get the dictionaries of `to_arrow` in place of plain text.
        store_schema=False,
    )
    with writer:
        writer.write_table(table, row_group_size=max(1, batch.rows))
        writer.add_key_value_metadata(_metadata(batch.origin))
    return sink.getvalue()


def check_schema(schema: pa.Schema) -> None:
    """Raises UserError unless the schema is one of an episode log of a version that is read."""
    metadata = schema.metadata or {}
    stored = metadata.get(SCHEMA_KEY.encode(), metadata.get(OLD_SCHEMA_KEY.encode()))
    if stored is None:
        remedy = f"not an episode log: no {SCHEMA_KEY} in its metadata, its columns are "
        raise UserError("schema", None, remedy + ", ".join(schema.names[:6]))
    if stored not in (b"1", SCHEMA_VERSION.encode()):
        found = stored.decode(errors="replace")[:20]
        raise UserError(
            "schema version", found, f"this version of Seedo reads versions 1 and {SCHEMA_VERSION}"
        )
    for field in _needed(schema.names):
        if field.name != _PROGRAM and schema.get_field_index(field.name) < 0:
            raise UserError(f"column {field.name}", None, "missing, or there more than once")
    for field in _FURTHER:
        if schema.names.count(field.name) > 1:
            raise UserError(f"column {field.name}", None, "there more than once")


def _needed(names: Collection[str]) -> list[pa.Field]:
    """The columns of the version of a log that has columns of these names."""
    old = _VERSION_1[0].name in names
    fields = [(_VERSION_1 if old and field.name == "setting" else (field,)) for field in SCHEMA]
    return [field for some in fields for field in some]


def from_parquet(data: pa.Buffer, without: tuple[str, ...] = ()) -> EpisodeBatch:
    """The episodes of a Parquet file in memory, leaving the optional columns `without` unread.

    Raises:
        UserError: not Parquet, not an episode log of this version, or a value that cannot be;
            names row and column.
    """
    constant = set(_CONSTANT)
    try:
        metadata = pq.read_metadata(pa.BufferReader(data))
        check_unpacked(metadata)
        schema = metadata.schema.to_arrow_schema()
        check_schema(schema)
        there = [*_needed(schema.names), *(f for f in _FURTHER if f.name in schema.names)]
        columns = [field.name for field in there if field.name not in (_PROGRAM, *without)]
        paths = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
        if metadata.num_row_groups == 1:  # Arrow cannot join dictionaries within lists
            constant.add("variables.list.element")
        file = pq.ParquetFile(
            pa.BufferReader(data),
            metadata=metadata,
            read_dictionary=[path for path in paths if path in constant],
        )
        table = file.read(columns=columns)
    except UserError:
        raise
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise UserError("file", None, f"not readable as Parquet: {str(error)[:120]}") from error
    return from_arrow(table, without)


def from_arrow(table: pa.Table, without: tuple[str, ...] = ()) -> EpisodeBatch:
    """The inverse of `to_arrow`, for tables of either version written by anyone: everything is
    checked.

    Missing outcomes, values and returns may be null instead of NaN.

    Raises:
        UserError: names row and column of what cannot be read.
    """
    B = table.num_rows
    if B == 0:
        raise UserError("rows", 0, "an episode log has at least one row")
    columns = {
        field.name: _column(table, field)
        for field in _needed(table.column_names)
        if field.name not in (_PROGRAM, *without)
    }
    for field in _FURTHER:
        if field.name in table.column_names and field.name not in without:
            columns[field.name] = _column(table, field)
    S, n = _width(columns, "phase"), _width(columns, "variables")
    names = _flattened(columns, "variables", (n,))
    variables = names[:n].to_pylist()
    matrix = pc.index_in(names, pa.array(variables, pa.string()))
    same = np.asarray(matrix).reshape(B, n) == np.arange(n)
    if len(set(variables)) == n and not same.all():
        row = int(np.argwhere(~same)[0, 0])
        got = names[row * n : (row + 1) * n].to_pylist()
        raise UserError(f"row {row}, column variables", got, f"row 0 has {variables}")
    origin = Origin(
        **{name: _one_value(columns, name) for name in (*_CONSTANT, "seed") if name != _PROGRAM},
        variables=tuple(variables),
        **_kinds(table.schema.metadata or {}),
    )
    fields: dict[str, Any] = {}
    for name in columns.keys() - {"variables", "seed", *_CONSTANT}:
        column = columns[name]
        if name in EpisodeBatch.OPTIONAL and column.null_count == B:
            continue
        shape: tuple[int, ...] = (n,) if name == "mask" else (S,)
        if pa.types.is_list(column.type) and pa.types.is_list(column.type.value_type):
            shape = (S, _actions(column) if name == "action_logits" else n)
        elif not pa.types.is_list(column.type):
            shape = ()
        flat = _flattened(columns, name, shape)
        if pa.types.is_string(flat.type):
            texts = _complete(name, flat, max(1, math.prod(shape))).to_pylist()
            fields[name] = [texts[i : i + S] for i in range(0, len(texts), S)] if shape else texts
        else:
            fields[name] = _numbers(name, flat, math.prod(shape)).reshape(B, *shape)
    return EpisodeBatch(origin=origin, **fields)


def _actions(column: pa.Array) -> int:
    """Actions of the first step that has logits."""
    inner = _complete("action_logits", column).flatten()
    return len(inner[0]) if len(inner) and inner[0].is_valid else 0


def _kinds(metadata: dict[bytes, bytes]) -> dict[str, Any]:
    """Types and levels of the variables in a file's metadata."""
    try:
        return {name: json.loads(metadata.get(key.encode(), b"null"))
                for name, key in _KINDS.items()}  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise UserError("metadata", None, "types or levels of variables are no JSON") from error


def _lists(values: pa.Array, rows: int, width: int) -> pa.Array:
    if rows * width > np.iinfo(np.int32).max:
        raise UserError("batch", f"{rows * width} entries in a column", "write smaller shards")
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(width)
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _column(table: pa.Table, field: pa.Field) -> pa.Array:
    """One column as an array of the schema's type, texts possibly still as dictionaries."""
    if table.schema.get_field_index(field.name) < 0:
        raise UserError(f"column {field.name}", None, "missing, or there more than once")
    column = table.column(field.name)
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if array.type == field.type or pa.types.is_dictionary(array.type):
        return array
    try:
        return array.cast(field.type)
    except (pa.ArrowException, ValueError) as error:
        remedy = f"expected {field.type}, and not every value can be one"
        raise UserError(f"column {field.name}", str(array.type), remedy) from error


def _complete(name: str, array: pa.Array, per_row: int = 1) -> pa.Array:
    if array.null_count:
        row = int(np.argmin(np.asarray(array.is_valid()))) // per_row
        raise UserError(f"row {row}, column {name}", None, "empty, but needed")
    return array


def _width(columns: dict[str, pa.Array], name: str) -> int:
    first = _complete(name, columns[name])[0]
    if len(first) == 0:
        raise UserError(f"row 0, column {name}", "0 entries", "at least one is needed")
    return len(first)


def _even(name: str, array: pa.Array, width: int, per_row: int) -> pa.Array:
    """The entries of equally long lists, in one array; refuses lists of other lengths."""
    lengths = np.asarray(pc.list_value_length(_complete(name, array, per_row)))
    wrong = np.flatnonzero(lengths != width)
    if len(wrong):
        row = int(wrong[0]) // per_row
        got = f"{lengths[wrong[0]]} entries"
        raise UserError(f"row {row}, column {name}", got, f"the other lists have {width}")
    return array.flatten()


def _flattened(columns: dict[str, pa.Array], name: str, shape: tuple[int, ...]) -> pa.Array:
    """All entries of a column whose rows are lists of this shape, texts as such."""
    flat, per_row = columns[name], 1
    for width in shape:
        flat, per_row = _even(name, flat, width, per_row), per_row * width
    return flat.cast(pa.string()) if pa.types.is_dictionary(flat.type) else flat


def _numbers(name: str, flat: pa.Array, per_row: int) -> NDArray[Any]:
    if not pa.types.is_floating(flat.type):  # else null becomes NaN
        _complete(name, flat, per_row)
    return flat.to_numpy(zero_copy_only=False)


def _one_value(columns: dict[str, pa.Array], name: str) -> Any:
    """The value shared by all rows of a column that describes the whole shard."""
    array = columns[name]
    if name == "created" and array.null_count == len(array):
        return None
    _complete(name, array)
    if pa.types.is_dictionary(array.type):
        codes = array.indices.to_numpy(zero_copy_only=False)
        different = np.flatnonzero(codes != codes[0])
    else:
        different = np.flatnonzero(np.asarray(pc.not_equal(array, array[0])))
    if len(different):
        row = int(different[0])
        value = array[row].as_py()
        raise UserError(f"row {row}, column {name}", value, f"row 0 has {array[0].as_py()!r}")
    return array[0].as_py()
