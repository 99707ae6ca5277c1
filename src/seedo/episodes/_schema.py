"""The columns of an episode log, and batches to and from Arrow tables.

Tables are made from flat buffers and offsets, without a loop over episodes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection
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
    B, S, n = batch.rows, batch.steps, batch.n
    origin = batch.origin
    logits = batch.action_logits
    names = pa.DictionaryArray.from_arrays(
        pa.array(np.tile(np.arange(n, dtype=np.int32), B)), pa.array(list(origin.variables))
    )
    said = None if batch.explanation is None else [t for row in batch.explanation for t in row]
    columns: dict[str, Any] = {
        "episode_id": pa.array(batch.episode_id),
        "world": _constant(origin.world, B),
        "world_config": _constant(origin.world_config, B),
        "split": _constant(origin.split, B),
        "seed": pa.array(np.full(B, origin.seed, np.int64)),
        "experimenter": _constant(origin.experimenter, B),
        "variables": _lists(names, B, n),
        "phase": _lists(_flat(batch.phase), B, S),
        "setting": _lists(_lists(_flat(batch.setting, gaps=True), B * S, n), B, S),
        "outcome": _lists(_lists(_flat(batch.outcome), B * S, n), B, S),
        "mask": _lists(_flat(batch.mask), B, n),
        "goal": _lists(_flat(batch.goal), B, S),
        "action_logits": pa.nulls(B, SCHEMA.field("action_logits").type)
        if logits is None
        else _lists(_lists(_flat(logits), B * S, logits.shape[2]), B, S),
        "explanation": pa.nulls(B, SCHEMA.field("explanation").type)
        if said is None
        else _lists(pa.array(said, pa.string()), B, S),
        "returns": pa.array(batch.returns),
        "oracle_return": pa.array(batch.oracle_return),
        "random_return": pa.array(batch.random_return),
        "system": pa.nulls(B, pa.string())
        if batch.system is None
        else pa.array(batch.system, pa.string()),
        "created": pa.nulls(B, pa.string())
        if origin.created is None
        else _constant(origin.created, B),
        "seedo_version": _constant(__version__, B),
    }
    if batch.participant is not None:
        columns[PARTICIPANT.name] = pa.array(batch.participant, pa.string())
    if batch.label_target is not None and batch.label_value is not None:
        columns["label_target"] = _lists(_flat(batch.label_target), B, S)
        columns["label_value"] = _lists(_flat(batch.label_value), B, S)
    return pa.table(columns, metadata=_metadata(origin))


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
    S = _width(columns, "phase")
    n = _width(columns, "variables")
    names = _rectangle(columns, "variables", S, n)
    variables = names[:n].to_pylist()
    matrix = pc.index_in(names, pa.array(variables, pa.string()))
    same = np.asarray(matrix).reshape(B, n) == np.arange(n)
    if len(set(variables)) == n and not same.all():
        row = int(np.argwhere(~same)[0, 0])
        got = names[row * n : (row + 1) * n].to_pylist()
        raise UserError(f"row {row}, column variables", got, f"row 0 has {variables}")
    origin = Origin(
        **{
            name: _one_value(columns, name)
            for name in ("world", "world_config", "split", "seed", "experimenter", "created")
        },
        variables=tuple(variables),
        **_kinds(table.schema.metadata or {}),
    )

    def steps(name: str) -> NDArray[Any]:
        return _numbers(name, _rectangle(columns, name, S, n), S).reshape(B, S)

    logits, said, system, people, *labels = (columns.get(name) for name in EpisodeBatch.OPTIONAL)
    labelled = [not (c is None or c.null_count == B) for c in labels]
    width = None
    if logits is not None and logits.null_count < B:
        _complete("action_logits", logits)
        inner = logits.flatten()
        width = len(inner[0]) if len(inner) and inner[0].is_valid else 0
    return EpisodeBatch(
        origin=origin,
        episode_id=_numbers("episode_id", columns["episode_id"], 1),
        phase=steps("phase"),
        **{field.name: steps(field.name) for field in _VERSION_1 if field.name in columns},
        **{
            name: _numbers(name, _nested(columns, name, S, n), S * n).reshape(B, S, n)
            for name in ("setting", "outcome")
            if name in columns
        },
        mask=_numbers("mask", _rectangle(columns, "mask", S, n), n).reshape(B, n),
        goal=steps("goal"),
        returns=_numbers("returns", columns["returns"], 1),
        oracle_return=_numbers("oracle_return", columns["oracle_return"], 1),
        random_return=_numbers("random_return", columns["random_return"], 1),
        action_logits=None
        if width is None
        else _numbers(
            "action_logits", _nested(columns, "action_logits", S, width), S * max(width, 1)
        ).reshape(B, S, width),
        explanation=None
        if said is None or said.null_count == B
        else _rows_of(_texts("explanation", _rectangle(columns, "explanation", S, n), S), S),
        system=None
        if system is None or system.null_count == B
        else _texts("system", _complete("system", system), 1),
        participant=None
        if people is None or people.null_count == B
        else _texts("participant", people, 1),
        label_target=steps("label_target") if labelled[0] else None,
        label_value=steps("label_value") if labelled[1] else None,
    )


def _constant(text: str, rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([text]))


def _kinds(metadata: dict[bytes, bytes]) -> dict[str, Any]:
    """Types and levels of the variables in a file's metadata."""
    try:
        return {name: json.loads(metadata.get(key.encode(), b"null"))
                for name, key in _KINDS.items()}  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise UserError("metadata", None, "types or levels of variables are no JSON") from error


def _flat(array: NDArray[Any], gaps: bool = False) -> pa.Array:
    """All entries; with `gaps`, NaN becomes null."""
    return pa.array(np.ascontiguousarray(array).reshape(-1), from_pandas=gaps)


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


def _rectangle(columns: dict[str, pa.Array], name: str, steps: int, n: int) -> pa.Array:
    flat = _even(name, columns[name], n if name in ("variables", "mask") else steps, 1)
    if pa.types.is_dictionary(flat.type):
        flat = flat.cast(pa.string())
    return flat


def _nested(columns: dict[str, pa.Array], name: str, steps: int, width: int) -> pa.Array:
    return _even(name, _even(name, columns[name], steps, 1), width, steps)


def _numbers(name: str, flat: pa.Array, per_row: int) -> NDArray[Any]:
    if pa.types.is_floating(flat.type) and flat.null_count:
        flat = flat.fill_null(math.nan)
    return _complete(name, flat, per_row).to_numpy(zero_copy_only=False)


def _texts(name: str, flat: pa.Array, per_row: int) -> list[str]:
    return _complete(name, flat, per_row).to_pylist()


def _rows_of(flat: list[str], width: int) -> list[list[str]]:
    return [flat[i : i + width] for i in range(0, len(flat), width)]


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
