from __future__ import annotations

import builtins
import dataclasses
import errno
import gzip
import hashlib
import json
import math
import multiprocessing
import os
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedo.episodes import (
    SCHEMA,
    DamagedShard,
    Dataset,
    DatasetWriter,
    EpisodeBatch,
    Origin,
    as_table,
    concatenate,
    from_arrow,
    pools_episodes,
    summary,
    to_arrow,
    write_batch,
)
from seedo.errors import UserError
from seedo.tables import read_table

CONFIG = '{"n": 3}'


def make(rows=8, n=3, steps=4, seed=0, *, extras=False, created=None, world_seed=0, first=0):
    """A batch with every kind of gap: plain observations, hidden goals, unseen outcomes."""
    rng = np.random.default_rng(seed)
    target = rng.integers(-1, n, (rows, steps))
    value = np.where(target >= 0, rng.choice([-2.0, 2.0], (rows, steps)), np.nan)
    outcome = rng.normal(size=(rows, steps, n)).astype(np.float32)
    outcome[rng.random(outcome.shape) < 0.1] = np.nan
    return EpisodeBatch(
        origin=Origin("dag", CONFIG, "train", world_seed, "expert", tuple("ABCDEFGH"[:n]), created),
        episode_id=np.arange(first, first + rows),
        phase=np.sort(rng.integers(0, 3, (rows, steps)), axis=1),
        target=target,
        value=value,
        outcome=outcome,
        mask=rng.random((rows, n)) < 0.7,
        goal=rng.integers(-1, n, (rows, steps)),
        returns=rng.normal(size=rows),
        oracle_return=rng.normal(size=rows),
        random_return=np.full(rows, np.nan),
        action_logits=rng.normal(size=(rows, steps, 2 * n)) if extras else None,
        explanation=[[f"é {i}.{s}" if s else "" for s in range(steps)] for i in range(rows)]
        if extras
        else None,
        system=[json.dumps({"weights": [[float(i)]]}) for i in range(rows)] if extras else None,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def shard_batch(shard: int, rows: int) -> EpisodeBatch:
    return make(rows, seed=100 + shard, first=10 * shard)


JOB = {"episodes": 35, "world": {"n": 3, "preset": "linear"}}


def open_writer(path, resume=False, job=JOB, total=35, origin=None):
    return DatasetWriter(path, origin or make().origin, 10, total, job, resume=resume)


def run_job(path, resume=False, stop_after=None):
    with open_writer(path, resume) as writer:
        done = 0
        while (shard := writer.next_shard) is not None and done != stop_after:
            writer.write(shard, shard_batch(shard, writer.rows_of(shard)))
            done += 1


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    run_job(tmp_path / "log")
    return tmp_path / "log"


@pytest.fixture
def reference(tmp_path: Path) -> dict[str, bytes]:
    run_job(tmp_path / "reference")
    return contents(tmp_path / "reference")


def relist(folder: Path, shard: int) -> None:
    """Makes the manifest agree with a shard that was replaced."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    entry = manifest["shards"][shard]
    data = (folder / entry["shard"]).read_bytes()
    entry.update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    (folder / "manifest.json").write_text(json.dumps(manifest))


# Batches


@given(
    rows=st.integers(1, 20),
    n=st.integers(1, 8),
    steps=st.integers(1, 9),
    seed=st.integers(0, 2**32 - 1),
    extras=st.booleans(),
    created=st.sampled_from([None, "2031-05-06T07:08:09Z"]),
)
def test_arrow_and_parquet_give_back_what_went_in(
    tmp_path_factory, rows, n, steps, seed, extras, created
):
    batch = make(rows, n, steps, seed, extras=extras, created=created, world_seed=seed)
    assert from_arrow(to_arrow(batch)).equals(batch)
    folder = tmp_path_factory.mktemp("round") / "log"
    write_batch(folder, batch, shard_rows=7)
    dataset = Dataset(folder)
    assert dataset.read().equals(batch)
    assert (dataset.rows, dataset.n, dataset.steps) == (rows, n, steps)
    assert dataset.read_shard(0, without=EpisodeBatch.OPTIONAL).optional == ()


def test_same_batch_same_bytes_and_nothing_of_the_machine(tmp_path):
    write_batch(tmp_path / "a", make(extras=True))
    write_batch(tmp_path / "b", make(extras=True))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert str(tmp_path).encode() not in b"".join(contents(tmp_path / "a").values())


def test_take_and_concatenate_keep_rows():
    batch = make(10, extras=True)
    parts = [batch.take(slice(0, 4)), batch.take(np.arange(4, 10))]
    assert concatenate(parts).equals(batch)
    assert batch.take([3, 1]).episode_id.tolist() == [3, 1]
    assert batch.take([3, 1]).system == [batch.system[3], batch.system[1]]
    assert batch.take(batch.episode_id % 2 == 0).rows == 5
    assert batch.take([]).rows == 0
    with pytest.raises(UserError, match="batch 1 steps: got 5; batch 0 has 4"):
        concatenate([batch, make(steps=5, extras=True)])
    with pytest.raises(UserError, match="columns"):
        concatenate([batch, make()])
    with pytest.raises(UserError, match="variables"):
        concatenate([make(), make(n=4)])


def at(array, where, value):
    array = np.array(array, dtype=np.float64 if isinstance(value, float) else None)
    array[where] = value
    return array


@pytest.mark.parametrize(
    ("column", "where", "value", "words"),
    [
        ("target", (2, 1), 3, ["row 2", "target", "step 1", "got 3", "0 to 2"]),
        ("target", (2, 1), -2, ["row 2", "got -2"]),
        ("goal", (0, 3), 7, ["row 0", "goal", "got 7"]),
        ("phase", (5, 0), 3, ["row 5", "phase", "got 3"]),
        ("value", (1, 0), np.inf, ["row 1", "value", "got inf"]),
        ("outcome", (4, 2, 1), -np.inf, ["row 4", "outcome", "got -inf"]),
        ("returns", 3, np.inf, ["row 3", "returns"]),
        ("episode_id", 0, 0.5, ["episode_id", "whole numbers"]),
    ],
)
def test_impossible_values_are_named(column, where, value, words):
    batch = make()
    wrong = at(getattr(batch, column), where, value)
    with pytest.raises(UserError) as error:
        dataclasses.replace(batch, **{column: wrong})
    assert all(word in str(error.value) for word in words), str(error.value)


def test_a_set_variable_needs_a_value_and_no_other_has_one():
    batch = make()
    row, step = np.argwhere(batch.target >= 0)[0]
    with pytest.raises(UserError, match="finite number"):
        dataclasses.replace(batch, value=at(batch.value, (row, step), float("nan")))
    row, step = np.argwhere(batch.target < 0)[0]
    with pytest.raises(UserError, match=f"row {row}, column value, step {step}: got 2.0"):
        dataclasses.replace(batch, value=at(batch.value, (row, step), 2.0))


@pytest.mark.parametrize(
    "change",
    [
        {"target": np.zeros((8, 5), int)},
        {"phase": np.zeros(8, int)},
        {"mask": np.zeros((8, 3), int)},
        {"action_logits": np.zeros((8, 4, 5))},
        {"action_logits": np.full((8, 4, 6), np.inf)},
        {"goal": np.full((8, 4), 40_000)},
        {"returns": np.full(8, 1e300)},
        {"explanation": [["a"]] * 8},
        {"system": [None] * 8},
        {"system": ["{}"]},
    ],
)
def test_wrong_shapes_and_types_are_refused(change):
    with pytest.raises(UserError) as error:
        dataclasses.replace(make(), **change)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("world_config", "no json"),
        ("world_config", "[1]"),
        ("variables", ("A", "A")),
        ("variables", ()),
        ("seed", -1),
        ("seed", True),
        ("world", None),
        ("created", 5),
    ],
)
def test_impossible_origins_are_refused(field, value):
    with pytest.raises(UserError, match=field):
        dataclasses.replace(make().origin, **{field: value})


# Other programs


def test_pandas_and_polars_read_shards_as_they_are(tmp_path):
    batch = make(extras=True)
    write_batch(tmp_path / "log", batch)
    file = tmp_path / "log" / "shard-00000.parquet"
    frame = pd.read_parquet(file)
    assert list(frame.columns) == SCHEMA.names
    assert frame["world"].tolist() == ["dag"] * 8
    assert frame["variables"][0].tolist() == ["A", "B", "C"]
    setting = np.array([[list(s) for s in row] for row in frame["setting"]], float)
    row, step = np.nonzero(batch.target >= 0)
    assert (np.isfinite(setting).sum(2) == (batch.target >= 0)).all()
    np.testing.assert_array_equal(
        setting[row, step, batch.target[row, step]], batch.value[row, step]
    )
    np.testing.assert_array_equal(
        np.array([[list(s) for s in row] for row in frame["outcome"]]), batch.outcome
    )
    table = pl.read_parquet(file)
    assert table.schema["world"] == pl.String
    assert table.schema["outcome"] == pl.List(pl.List(pl.Float32))
    assert table["explanation"].to_list() == batch.explanation
    assert table["created"].null_count() == 8


@pytest.mark.slow
def test_hugging_face_datasets_reads_shards_as_they_are(tmp_path):
    hub = pytest.importorskip("datasets")
    batch = make(30, extras=True)
    write_batch(tmp_path / "log", batch, shard_rows=10)
    read = hub.load_dataset(
        "parquet",
        data_files=str(tmp_path / "log" / "*.parquet"),
        split="train",
        cache_dir=str(tmp_path / "cache"),
    )
    assert read.column_names == SCHEMA.names
    assert read.num_rows == 30
    assert read[7]["explanation"] == batch.explanation[7]
    np.testing.assert_array_equal(np.array(read["setting"][:], float), batch.setting)


def test_files_have_the_published_schema(dataset):
    schema = pq.read_schema(dataset / "shard-00000.parquet")
    assert schema.equals(SCHEMA)
    assert schema.metadata[b"seedo_schema"] == b"2"


def test_no_jax_is_started():
    code = "import sys, seedo.episodes; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# Several variables set at once, and values with names

KINDS = {"types": ("real", "categorical", "count"), "levels": (None, ("red", "blue"), None)}


def several(rows=6, steps=4, seed=0):
    """A batch whose steps set any number of variables, the second one being a colour."""
    rng = np.random.default_rng(seed)
    batch = make(rows, 3, steps, seed)
    setting = rng.normal(size=(rows, steps, 3)).astype(np.float32)
    setting[..., 1] = rng.integers(0, 2, (rows, steps))
    setting[rng.random(setting.shape) < 0.5] = np.nan
    outcome = np.array(batch.outcome)
    outcome[..., 1] = rng.integers(0, 2, (rows, steps))
    origin = dataclasses.replace(batch.origin, **KINDS)
    return batch.replace(origin=origin, setting=setting, outcome=outcome)


def test_one_variable_a_step_and_vectors_say_the_same():
    batch = make()
    by_hand = np.full((8, 4, 3), np.nan, np.float32)
    for row, step in np.argwhere(batch.target >= 0):
        by_hand[row, step, batch.target[row, step]] = batch.value[row, step]
    np.testing.assert_array_equal(batch.setting, by_hand)
    again = batch.replace(setting=by_hand)
    np.testing.assert_array_equal(again.target, batch.target)
    np.testing.assert_array_equal(again.value, batch.value)
    assert again.target.dtype == np.int16
    assert again.equals(batch)
    assert not batch.replace(value=np.where(batch.target >= 0, 1, np.nan)).equals(batch)
    taken = batch.take([5, 2])
    np.testing.assert_array_equal(taken.target, batch.target[[5, 2]])


def test_who_reads_one_variable_a_step_is_told_where_there_are_more():
    setting = np.array(make().setting)
    setting[:] = np.nan
    setting[5, 2] = [1.0, np.nan, 3.0]
    batch = make().replace(setting=setting)
    for name in ("target", "value"):
        with pytest.raises(UserError) as error:
            getattr(batch, name)
        assert all(word in str(error.value) for word in ("row 5", "step 2", "A, C"))
    assert batch.take([0, 1]).target.max() == -1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"setting": np.full((8, 4, 3), np.inf)}, ["row 0", "setting", "step 0"]),
        ({"setting": np.zeros((8, 4, 2))}, ["setting", "shape"]),
        ({"target": None, "value": None, "setting": None}, ["setting", "shape"]),
        ({"goal": None}, ["goal", "shape"]),
    ],
)
def test_impossible_settings_are_named(change, words):
    with pytest.raises(UserError) as error:
        make().replace(**change)
    assert all(word in str(error.value) for word in words), str(error.value)


def test_fields_that_are_missing_or_unknown_are_named():
    batch = make()
    fields = {f.name: getattr(batch, f.name) for f in dataclasses.fields(batch)}
    with pytest.raises(TypeError, match="purse"):
        EpisodeBatch(**fields, purse=1)
    with pytest.raises(TypeError, match="goal"):
        EpisodeBatch(**{name: field for name, field in fields.items() if name != "goal"})


def test_several_at_once_are_logged_as_vectors(tmp_path):
    batch = several()
    write_batch(tmp_path / "log", batch, shard_rows=4)
    assert Dataset(tmp_path / "log").read().equals(batch)
    assert from_arrow(to_arrow(batch)).equals(batch)
    table = pq.read_table(tmp_path / "log" / "shard-00000.parquet")
    stored = table["setting"].to_pylist()
    given = [
        [[None if x != x else x for x in s] for s in row] for row in batch.setting[:4].tolist()
    ]
    assert stored == given
    metadata = table.schema.metadata
    assert json.loads(metadata[b"seedo_types"]) == list(KINDS["types"])
    assert json.loads(metadata[b"seedo_levels"]) == [None, ["red", "blue"], None]
    found = summary(Dataset(tmp_path / "log"))
    at_once = np.isfinite(batch.setting).sum(2)
    assert found["several_at_once"] == pytest.approx((at_once > 1).mean())
    share = np.isfinite(batch.setting)[batch.phase == 1].mean(0)
    assert found["target_frequency"]["explore"]["B"] == pytest.approx(share[1])
    assert found["levels"] == [[], ["red", "blue"], []]


def test_episodes_are_of_one_system_if_that_is_recorded_or_said():
    batch = make(extras=True)

    def of(world):
        return batch.replace(origin=dataclasses.replace(batch.origin, world=world))

    assert pools_episodes(of("recorded:pump"))
    for world in ("dag", "someones-plug-in"):
        assert not pools_episodes(of(world))
        assert not pools_episodes(of(world).without(["system"]))
        assert pools_episodes(of(world).take([3]))
        assert pools_episodes(of(world).replace(system=["{}"] * 8))


def test_several_at_once_as_a_table():
    setting = np.full((2, 2, 3), np.nan)
    setting[0, 0, [0, 2]] = setting[1, 1, [0, 2]] = 1
    setting[0, 1, 1] = 1
    batch = make(2, 3, 2).replace(setting=setting, outcome=np.arange(12).reshape(2, 2, 3))
    table = as_table(batch)
    assert table.hard.tolist() == np.isfinite(setting).reshape(4, 3).tolist()
    names = [table.regimes[i].name for i in table.regime]
    assert names == ["do(A, C)", "do(B)", "observed", "do(A, C)"]
    assert table.episode.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"types": ("real",)}, "types"),
        ({"types": ("real", "colour", "count")}, "type of B"),
        ({"types": ("real", "categorical", "count"), "levels": None}, "levels of B"),
        ({"types": ("real", "real", "count")}, "levels of B"),
        ({"levels": (None, ("red", "red"), None)}, "levels of B"),
        ({"levels": (None, "red", None)}, "levels of B"),
        ({"levels": (None, (), None)}, "levels of B"),
    ],
)
def test_impossible_types_and_levels_are_refused(change, field):
    with pytest.raises(UserError) as error:
        dataclasses.replace(make().origin, **{**KINDS, **change})
    assert error.value.field == field


def test_codes_without_a_level_are_refused():
    batch = several()
    for column in ("setting", "outcome"):
        for wrong in (2.0, 0.5, -1.0):
            with pytest.raises(UserError) as error:
                batch.replace(**{column: at(getattr(batch, column), (3, 1, 1), wrong)})
            assert all(w in str(error.value) for w in ("row 3", column, "step 1", "B"))


def test_levels_without_types_are_categories():
    origin = dataclasses.replace(make().origin, levels=[None, ["x", "y"], None])
    assert origin.types == ("real", "categorical", "real")
    assert Origin.from_json(json.loads(json.dumps(origin.to_json()))) == origin
    assert dataclasses.replace(make().origin, levels=[None] * 3) == make().origin


def test_damaged_types_are_named(dataset):
    file = dataset / "shard-00001.parquet"
    table = pq.read_table(file)
    for text in (b"[", b"[" * 100_000, b"5", b'{"A": 1}'):
        kinds = {**table.schema.metadata, b"seedo_levels": text}
        pq.write_table(table.replace_schema_metadata(kinds), file)
        relist(dataset, 1)
        with pytest.raises(DamagedShard):
            Dataset(dataset).read_shard(1)


# Version 1

V1 = Path(__file__).parent / "kept" / "v1" / "logs"


@pytest.mark.parametrize("name", ["dag", "rooms", "blicket"])
def test_logs_of_version_1_say_what_their_files_say(name):
    batch = Dataset(V1 / name).read()
    frame = pd.concat([pd.read_parquet(f) for f in sorted((V1 / name).glob("*.parquet"))])
    np.testing.assert_array_equal(batch.target, np.stack(frame["target"]))
    np.testing.assert_array_equal(batch.value, np.stack(frame["value"]))
    np.testing.assert_array_equal(batch.returns, frame["returns"])
    assert batch.setting.shape == (len(frame), batch.steps, batch.n)
    assert from_arrow(to_arrow(batch)).equals(batch)


def as_version_1(folder, key="seedo_schema"):
    """Rewrites a dataset as version 0.1.0 wrote it: one variable a step."""
    for i, file in enumerate(sorted(folder.glob("*.parquet"))):
        table = pq.read_table(file)
        batch = from_arrow(table)
        at = table.schema.get_field_index("setting")
        values = pa.array(batch.value.tolist(), pa.list_(pa.float32()))
        targets = pa.array(batch.target.tolist(), pa.list_(pa.int16()))
        table = table.set_column(at, "value", values).add_column(at, "target", targets)
        pq.write_table(table.replace_schema_metadata({key: "1"}), file)
        relist(folder, i)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "version": 1}))


def test_a_finished_dataset_of_version_1_is_finished(dataset):
    as_version_1(dataset, "understudy_schema")
    with open_writer(dataset, resume=True) as writer:
        assert writer.next_shard is None
    read = Dataset(dataset)
    assert read.read().equals(concatenate([shard_batch(i, writer.rows_of(i)) for i in range(4)]))


def test_an_unfinished_dataset_of_version_1_is_left_as_it_is(tmp_path):
    run_job(tmp_path / "log", stop_after=2)
    as_version_1(tmp_path / "log")
    before = contents(tmp_path / "log")
    with pytest.raises(UserError, match="version 1") as error:
        open_writer(tmp_path / "log", resume=True)
    assert "\n" not in str(error.value)
    assert contents(tmp_path / "log") == before


# Foreign tables


def test_foreign_tables_may_use_nulls_and_large_lists():
    batch = make()
    table = to_arrow(batch)
    rows = [[[x if x == x else None for x in s] for s in r] for r in batch.setting.tolist()]
    large = pa.array(rows, pa.large_list(pa.large_list(pa.float64())))
    table = table.set_column(table.schema.get_field_index("setting"), "setting", large)
    table = table.set_column(
        table.schema.get_field_index("returns"), "returns", pa.nulls(8, pa.float32())
    )
    read = from_arrow(table)
    np.testing.assert_array_equal(read.value, batch.value)
    assert np.isnan(read.returns).all()


def test_shards_written_anew_by_other_settings_are_read(dataset):
    file = dataset / "shard-00001.parquet"
    pq.write_table(
        pq.read_table(file), file, use_compliant_nested_type=False, row_group_size=3, version="1.0"
    )
    relist(dataset, 1)
    assert Dataset(dataset).read_shard(1).equals(shard_batch(1, 10))


@pytest.mark.parametrize(
    ("column", "change", "words"),
    [
        ("goal", lambda rows: rows.__setitem__(2, [0, 0, 9, 0]), ["row 2", "goal", "got 9"]),
        ("goal", lambda rows: rows.__setitem__(2, [0]), ["row 2", "goal", "1 entries"]),
        ("setting", lambda rows: rows[3].__setitem__(1, [0.0]), ["row 3", "setting", "1 entries"]),
        ("setting", lambda rows: rows[3].__setitem__(1, [0, math.inf, 0]), ["row 3", "step 1"]),
        ("setting", lambda rows: rows[3].__setitem__(1, None), ["row 3", "setting", "empty"]),
        ("phase", lambda rows: rows.__setitem__(5, None), ["row 5", "phase", "empty"]),
        ("phase", lambda rows: rows.__setitem__(5, [0, 0, None, 0]), ["row 5", "phase", "empty"]),
        ("mask", lambda rows: rows.__setitem__(1, [True]), ["row 1", "mask"]),
        ("outcome", lambda rows: rows[3].__setitem__(1, [0.0]), ["row 3", "outcome", "1 entries"]),
        ("variables", lambda rows: rows.__setitem__(4, ["A", "C", "B"]), ["row 4", "variables"]),
        ("world", lambda rows: rows.__setitem__(6, "rooms"), ["row 6", "world", "'rooms'"]),
        ("seed", lambda rows: rows.__setitem__(6, 5), ["row 6", "seed", "got 5"]),
        ("created", lambda rows: rows.__setitem__(6, "now"), ["row 0", "created"]),
    ],
)
def test_foreign_shards_are_checked_value_by_value(dataset, column, change, words):
    file = dataset / "shard-00001.parquet"
    table = pq.read_table(file)
    rows = table[column].to_pylist()
    change(rows)
    index = table.schema.get_field_index(column)
    pq.write_table(
        table.set_column(index, SCHEMA.field(column), pa.array(rows, SCHEMA.field(column).type)),
        file,
    )
    relist(dataset, 1)
    opened = Dataset(dataset)
    with pytest.raises(DamagedShard) as error:
        opened.read_shard(1)
    assert all(word in str(error.value) for word in ["shard-00001.parquet", *words]), error.value
    assert opened.read_shard(0).equals(shard_batch(0, 10))


# Killing and resuming


@pytest.mark.parametrize("stop_after", [0, 1, 2, 3, 4])
def test_an_interrupted_job_ends_in_the_same_bytes(tmp_path, reference, stop_after):
    path = tmp_path / "log"
    run_job(path, stop_after=stop_after)
    (path / "shard-00003.parquet.tmp").write_bytes(b"half")
    (path / "manifest.json.tmp").write_bytes(b"{")
    with open_writer(path, resume=True) as writer:
        assert writer.next_shard == (stop_after if stop_after < 4 else None)
        assert writer.rows == min(35, 10 * stop_after)
    run_job(path, resume=True)
    assert contents(path) == reference


def test_an_unlisted_shard_is_written_again(tmp_path, reference):
    path = tmp_path / "log"
    run_job(path, stop_after=2)
    (path / "shard-00002.parquet").write_bytes(b"whole, but killed before the manifest knew")
    run_job(path, resume=True)
    assert contents(path) == reference


@pytest.mark.parametrize("damage", ["missing", "short", "flipped"])
def test_resuming_mends_damaged_shards(tmp_path, reference, damage):
    path = tmp_path / "log"
    run_job(path)
    file = path / "shard-00001.parquet"
    data = bytearray(file.read_bytes())
    if damage == "missing":
        file.unlink()
    elif damage == "short":
        file.write_bytes(data[:-5])
    else:
        data[50] ^= 1
        file.write_bytes(data)
    with open_writer(path, resume=True) as writer:
        assert writer.next_shard == 1
    run_job(path, resume=True)
    assert contents(path) == reference


KILLED = """
import os, sys
sys.path.insert(0, {tests!r})
from test_episodes import run_job
real, calls = {call}, 0
def dying(*args, **kwargs):
    global calls
    calls += 1
    if calls == {number}:
        os._exit(9)
    return real(*args, **kwargs)
{call} = dying
run_job({path!r}, resume=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("call", ["os.fsync", "os.replace"])
def test_killed_between_any_two_steps(tmp_path, reference, call):
    path = tmp_path / "log"
    for number in range(1, 9):
        code = KILLED.format(
            tests=str(Path(__file__).parent), call=call, number=number, path=str(path)
        )
        subprocess.run([sys.executable, "-c", code], check=False)
        manifest = path / "manifest.json"
        if manifest.exists() and json.loads(manifest.read_bytes())["shards"]:
            assert Dataset(path).verify() == []
    run_job(path, resume=True)
    assert contents(path) == reference


def test_resume_starts_a_job_that_never_began(tmp_path, reference):
    run_job(tmp_path / "deep" / "log", resume=True)
    assert contents(tmp_path / "deep" / "log") == reference


def test_another_job_is_not_resumed(tmp_path):
    run_job(tmp_path / "log", stop_after=1)
    before = contents(tmp_path / "log")
    other = {"episodes": 35, "world": {"n": 4, "preset": "linear"}}
    with pytest.raises(UserError, match=r"^world\.n: got 4; .* begun with 3"):
        open_writer(tmp_path / "log", True, job=other)
    with pytest.raises(UserError, match=r"^total: got 36; .* 35"):
        open_writer(tmp_path / "log", True, total=36)
    with pytest.raises(UserError, match=r"^origin\.seed: got 5; .* 0"):
        open_writer(tmp_path / "log", True, origin=make(world_seed=5).origin)
    assert contents(tmp_path / "log") == before


def test_folders_in_use_are_left_alone(tmp_path):
    run_job(tmp_path / "log", stop_after=1)
    before = contents(tmp_path / "log")
    with pytest.raises(UserError, match="--resume"):
        open_writer(tmp_path / "log")
    (tmp_path / "log" / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match=r"thesis\.tex"):
        open_writer(tmp_path / "log", resume=True)
    assert contents(tmp_path / "log") == {**before, "thesis.tex": b"mine"}
    (tmp_path / "log" / "thesis.tex").unlink()
    (tmp_path / "log" / "manifest.json").unlink()
    with pytest.raises(UserError, match=r"no manifest\.json"):
        open_writer(tmp_path / "log", resume=True)


def test_two_jobs_do_not_write_to_one_folder(tmp_path):
    with open_writer(tmp_path / "log"), pytest.raises(UserError, match="another job"):
        open_writer(tmp_path / "log", resume=True)


def test_a_shard_must_be_what_the_job_promised(tmp_path):
    with open_writer(tmp_path / "log") as writer:
        for wrong, word in [
            (make(9), "rows"),
            (make(10, n=4), "variables"),
        ]:
            with pytest.raises(UserError, match=word):
                writer.write(0, wrong)
        writer.write(0, make(10, world_seed=1))
        for wrong, word in [(make(10, steps=5), "steps"), (make(10, extras=True), "optional")]:
            with pytest.raises(UserError, match=word):
                writer.write(1, wrong)
        for number in (0, -1, 4):
            with pytest.raises(UserError) as error:
                writer.write(number, make(10))
            assert error.value.field == "shard"
    with pytest.raises(UserError, match="closed"):
        writer.write(1, make(10))


def write_some(plan, shards):
    return [plan.write(shard, shard_batch(shard, plan.manifest.rows_of(shard))) for shard in shards]


def test_any_process_writes_any_shard(tmp_path, reference):
    path = tmp_path / "log"
    with (
        open_writer(path) as writer,
        ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool,
    ):
        # One shard is written twice, as by a machine that was thought dead.
        work = [pool.submit(write_some, writer.plan, shards) for shards in ([3, 1], [2, 0], [1])]
        for written in {w.shard.index: w for job in work for w in job.result()}.values():
            writer.add(written)
    assert contents(path) == reference
    assert Dataset(path).complete


def test_a_shard_of_another_shape_from_elsewhere_is_not_entered(tmp_path):
    with open_writer(tmp_path / "log") as writer:
        plan = writer.plan
        writer.add(plan.write(2, make(10)))
        before = contents(tmp_path / "log")
        for wrong in (make(10, steps=5), make(10, extras=True)):
            with pytest.raises(UserError):
                writer.add(plan.write(0, wrong))
            assert contents(tmp_path / "log") == before
        assert writer.missing == (0, 1, 3)
        with pytest.raises(UserError):
            plan.write(4, make(10))


# Places that cannot be written


def full_disk(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch, reference):
    path = tmp_path / "log"
    run_job(path, stop_after=2)
    before = contents(path)
    with open_writer(path, resume=True) as writer:
        real, calls = os.fsync, []
        for last in (1, 3):  # of the shard, of the manifest after it

            def fsync(handle, last=last):
                calls.append(handle)
                if len(calls) == last:
                    full_disk()
                real(handle)

            calls.clear()
            with monkeypatch.context() as patch:
                patch.setattr(os, "fsync", fsync)
                with pytest.raises(UserError, match="disk is full") as error:
                    writer.write(2, shard_batch(2, 10))
            assert "\n" not in str(error.value)
            assert contents(path) == before
    run_job(path, resume=True)
    assert contents(path) == reference


def test_a_full_disk_at_the_start_leaves_no_folder(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_disk)
        with pytest.raises(UserError, match="disk is full"):
            open_writer(tmp_path / "log")
    assert not (tmp_path / "log").exists()


def test_a_failed_one_shot_write_leaves_no_folder(tmp_path, monkeypatch):
    calls = []

    def replace(a, b, real=os.replace):
        calls.append(b)
        if len(calls) == 4:
            full_disk()
        real(a, b)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        with pytest.raises(UserError, match="disk is full"):
            write_batch(tmp_path / "log", make(30), shard_rows=10)
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize(
    ("code", "word"),
    [(errno.EACCES, "no permission"), (errno.EROFS, "read-only"), (errno.EIO, "cannot write")],
)
def test_folders_without_permission(tmp_path, monkeypatch, code, word):
    (tmp_path / "log").mkdir()

    def refuse(file, mode="r", *args, real=builtins.open, **kwargs):
        if "x" in mode:
            raise OSError(code, os.strerror(code), str(file))
        return real(file, mode, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "open", refuse)
        with pytest.raises(UserError, match=word):
            open_writer(tmp_path / "log")
    assert contents(tmp_path / "log") == {}


def test_paths_that_are_files(tmp_path):
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file", tmp_path / "file" / "log"):
        with pytest.raises(UserError, match="file"):
            open_writer(path)
        with pytest.raises(UserError):
            Dataset(path)
    assert (tmp_path / "file").read_text() == "mine"


def test_links_are_replaced_not_followed(tmp_path, reference):
    foreign = tmp_path / "foreign"
    foreign.write_text("mine")
    path = tmp_path / "log"
    run_job(path, stop_after=1)
    for name in ("shard-00001.parquet", "shard-00002.parquet.tmp", "manifest.json.tmp"):
        (path / name).symlink_to(foreign)
    (path / "shard-00003.parquet").symlink_to(tmp_path / "nowhere")
    run_job(path, resume=True)
    assert foreign.read_text() == "mine"
    assert contents(path) == reference
    assert not any(file.is_symlink() for file in path.iterdir())


# Damage


def cuts(size: int) -> dict[str, int]:
    return {"nothing": 0, "in magic": 2, "header": 10, "middle": size // 2, "footer": size - 100,
            "before length": size - 8, "one byte less": size - 1}  # fmt: skip


@pytest.mark.parametrize("place", list(cuts(1000)))
def test_a_truncated_shard_is_named_and_the_rest_usable(dataset, place):
    file = dataset / "shard-00002.parquet"
    data = file.read_bytes()
    file.write_bytes(data[: cuts(len(data))[place]])
    opened = Dataset(dataset)
    with pytest.raises(DamagedShard, match=r"shard-00002\.parquet: (truncated|an empty file)"):
        opened.read_shard(2)
    assert len(opened.verify()) == 1
    assert [opened.read_shard(i).rows for i in (0, 1, 3)] == [10, 10, 5]
    with pytest.raises(DamagedShard):
        list(opened.batches(5, seed=0))
    said = []
    left = list(opened.batches(5, 0, on_damage="skip", warn=said.append))
    assert sum(b.rows for b in left) == 25
    assert len(said) == 1
    assert "shard-00002.parquet" in said[0]


@given(st.data())
def test_any_flipped_bit_is_found(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("flip") / "log"
    write_batch(folder, make())
    file = folder / "shard-00000.parquet"
    content = bytearray(file.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(content)
    with pytest.raises(DamagedShard, match=r"altered|not a Parquet"):
        Dataset(folder).read_shard(0)


def test_damage_between_two_reads_is_found_if_the_size_changes(dataset):
    opened = Dataset(dataset)
    opened.read_shard(0)
    file = dataset / "shard-00000.parquet"
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(DamagedShard, match="truncated"):
        opened.read_shard(0)


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("foreign", "not an episode log.*x, y"),
        ("version", "schema version.*'3'.*versions 1 and 2"),
        ("column", "column goal: missing"),
        ("text", "Parquet"),
        ("missing", "missing"),
        ("another world", "world_config"),
    ],
)
def test_foreign_shards_are_named(dataset, content, words, listed):
    file = dataset / "shard-00001.parquet"
    table = pq.read_table(file)
    if content == "foreign":
        pq.write_table(pa.table({"x": [1], "y": ["a"]}), file)
    elif content == "version":
        pq.write_table(table.replace_schema_metadata({"seedo_schema": "3"}), file)
    elif content == "column":
        pq.write_table(table.drop_columns(["goal"]), file)
    elif content == "text":
        file.write_text("target,value\n")
    elif content == "another world":
        batch = shard_batch(1, 10)
        origin = dataclasses.replace(batch.origin, world_config='{"n": 3, "noise": 9}')
        write_batch(dataset.parent / "b", dataclasses.replace(batch, origin=origin))
        file.write_bytes((dataset.parent / "b" / "shard-00000.parquet").read_bytes())
        words = words if listed else "manifest says"
    if listed and content != "missing":
        relist(dataset, 1)
    if content == "missing":
        file.unlink()
    opened = Dataset(dataset)
    with pytest.raises(DamagedShard, match=r"shard-00001\.parquet.*" + words):
        opened.read_shard(1)
    assert opened.read_shard(0).rows == 10


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[1]", "not the manifest"),
        ({"version": 3}, "version: got 3"),
        ({"n": 4}, "n: got 4"),
        ({"origin": {}}, "origin"),
        ({"total": 0}, "total: got 0"),
        ({"steps": "4"}, "steps"),
        ({"optional": ["weights"]}, "optional"),
        ({"shards": []}, "no shard written yet"),
        ({"shards": [5]}, "shards"),
        ({"shards": [{"shard": "../x", "rows": 1, "bytes": 1, "sha256": "0" * 64}]}, r"\.\./x"),
        ({"shards": [{"shard": "shard-00000.parquet", "rows": 1, "bytes": 1}]}, "sha256"),
    ],
)
def test_bad_manifests(dataset, content, words):
    file = dataset / "manifest.json"
    if isinstance(content, dict):
        content = json.dumps({**json.loads(file.read_bytes()), **content}).encode()
    file.write_bytes(content)
    with pytest.raises(UserError, match=words) as error:
        Dataset(dataset)
    assert "\n" not in str(error.value)


def test_folders_that_are_no_dataset(tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        Dataset(tmp_path / "nowhere")
    with pytest.raises(UserError, match="empty folder"):
        Dataset(tmp_path)
    (tmp_path / "x").touch()
    with pytest.raises(UserError, match="not an episode dataset"):
        Dataset(tmp_path)
    with pytest.raises(UserError, match="not a folder"):
        Dataset(tmp_path / "x")


# Reading


def ids(batches):
    return [b.episode_id.tolist() for b in batches]


def test_read_stops_at_the_limit(dataset):
    opened = Dataset(dataset)
    assert opened.read(limit=12).equals(
        concatenate([shard_batch(0, 10), shard_batch(1, 10).take(slice(0, 2))])
    )
    assert opened.read().rows == opened.rows == 35
    assert opened.complete
    with pytest.raises(UserError, match="limit"):
        opened.read(0)


@given(
    batch_size=st.integers(1, 35),
    window=st.integers(1, 5),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_a_stream_continues_where_it_stopped(shared, batch_size, window, seed, data):
    stream = Dataset(shared).batches(batch_size, seed, 1, window=window)
    whole = list(stream)
    seen = [i for batch in ids(whole) for i in batch]
    assert len(whole) == 35 // batch_size
    assert len(set(seen)) == len(seen) == len(whole) * batch_size
    skip = data.draw(st.integers(0, len(whole) + 1))
    rest = list(Dataset(shared).batches(batch_size, seed, 1, skip=skip, window=window))
    assert len(rest) == len(whole[skip:])
    assert all(a.equals(b) for a, b in zip(rest, whole[skip:], strict=True))


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared") / "log"
    run_job(folder)
    return folder


def test_streams_differ_by_epoch_and_seed_only(shared):
    opened = Dataset(shared)
    first = ids(opened.batches(5, seed=0, epoch=0))
    assert first == ids(Dataset(shared).batches(5, seed=0, epoch=0))
    assert first != ids(opened.batches(5, seed=0, epoch=1))
    assert first != ids(opened.batches(5, seed=1, epoch=0))
    flat = [i for batch in first for i in batch]
    assert sorted(flat) == sorted(opened.read().episode_id.tolist())
    some = ids(opened.batches(5, seed=0, shards=[1, 3]))
    assert {i // 10 for batch in some for i in batch} == {1, 3}


def test_a_stream_left_early_leaves_no_thread(shared):
    before = threading.active_count()
    stream = Dataset(shared).batches(3, seed=0, window=1)
    next(stream)
    stream.close()
    assert threading.active_count() == before


def test_rows_are_streamed_whole(shared):
    known = Dataset(shared).read()
    for batch in Dataset(shared).batches(7, seed=3):
        rows = np.searchsorted(known.episode_id, batch.episode_id)
        assert batch.equals(known.take(rows))


def test_a_stream_that_skips_damage_continues_exactly(dataset):
    (dataset / "shard-00001.parquet").write_bytes(b"")
    whole = ids(Dataset(dataset).batches(4, 0, on_damage="skip"))
    assert ids(Dataset(dataset).batches(4, 0, skip=3, on_damage="skip")) == whole[3:]


@pytest.mark.parametrize(
    "change",
    [
        {"batch_size": 0},
        {"batch_size": 36},
        {"seed": -1},
        {"skip": -1},
        {"window": 0},
        {"shards": [4]},
        {"without": ["target"]},
        {"on_damage": "ignore"},
    ],
)
def test_impossible_streams_are_refused_at_once(shared, change):
    with pytest.raises(UserError, match=next(iter(change))):
        Dataset(shared).batches(**{"batch_size": 5, "seed": 0, **change})


# Bombs


def write_bomb(file, groups):
    """A small file with 8 million empty rows a group."""
    gaps = pa.nulls(1 << 23, pa.bool_())
    schema = pa.schema({"x": pa.bool_(), "y": pa.bool_()})
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for _ in range(groups):
            writer.write_table(pa.table({"x": gaps, "y": gaps}))


@pytest.mark.slow
def test_a_table_of_400_million_rows_is_refused(tmp_path):
    write_bomb(tmp_path / "bomb.parquet", 48)
    assert (tmp_path / "bomb.parquet").stat().st_size < 1 << 21
    with pytest.raises(UserError, match="402,653,184 rows") as error:
        read_table(tmp_path / "bomb.parquet")
    assert "\n" not in str(error.value)


def test_a_shard_of_millions_of_rows_or_of_huge_lists_is_refused(dataset, monkeypatch):
    monkeypatch.setattr("seedo.tables._parquet.MAX_CELLS", 1 << 20)
    file = dataset / "shard-00001.parquet"
    table = pq.read_table(file)
    write_bomb(file, 1)
    relist(dataset, 1)
    with pytest.raises(DamagedShard, match="8,388,608 rows"):
        Dataset(dataset).read_shard(1)
    lists = pa.ListArray.from_arrays(
        pa.array([0, *[1 << 21] * table.num_rows], pa.int32()), pa.nulls(1 << 21, pa.bool_())
    )
    pq.write_table(table.set_column(table.schema.get_field_index("mask"), "mask", lists), file)
    relist(dataset, 1)
    with pytest.raises(DamagedShard, match="10 rows, 2,"):
        Dataset(dataset).read_shard(1)
    assert Dataset(dataset).read_shard(0).rows == 10


def test_a_gzip_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("seedo.tables._open.MAX_BYTES", 1 << 20)
    file = tmp_path / "bomb.csv.gz"
    file.write_bytes(gzip.compress(b"x,y\n" + b"1,2\n" * (1 << 19)))
    with pytest.raises(UserError, match="1,048,576 bytes"):
        read_table(file)


def test_no_shard_is_written_that_would_not_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr("seedo.tables._parquet.MAX_CELLS", 100)
    with pytest.raises(UserError, match="cells"):
        write_batch(tmp_path / "log", make())
    assert not (tmp_path / "log").exists()


# Links


def test_links_are_reported_and_their_content_is_checked(dataset, tmp_path):
    foreign = tmp_path / "other.parquet"
    file = dataset / "shard-00001.parquet"
    foreign.write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(foreign)
    found = summary(Dataset(dataset))
    assert found["links"] == {"shard-00001.parquet": str(foreign)}
    assert found["complete"]
    pq.write_table(pa.table({"x": [1]}), foreign)
    found = summary(Dataset(dataset))
    assert not found["complete"]
    assert "shard-00001" in found["damage"][0]
    foreign.unlink()
    found = summary(Dataset(dataset))
    assert not found["complete"]
    assert str(foreign) in found["damage"][0]


# Summary


def test_summary_counts_what_is_there(tmp_path):
    batch = make(200, n=4, steps=5)
    write_batch(tmp_path / "log", batch, shard_rows=70)
    found = summary(Dataset(tmp_path / "log"))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["rows"], found["shards"], found["n"], found["steps"]) == (200, 3, 4, 5)
    assert found["damage"] == []
    tested = [
        len(set(t[(p == 1) & (t >= 0)].tolist()))
        for t, p in zip(batch.target, batch.phase, strict=True)
    ]
    assert found["distinct_targets"] == pytest.approx(np.mean(tested))
    assert found["steps_by_phase"]["explore"] == pytest.approx((batch.phase == 1).sum() / 200)
    on_b = (batch.target[batch.phase == 2] == 1).mean()
    assert found["target_frequency"]["exploit"]["B"] == pytest.approx(on_b)
    assert {d["value"]: d["count"] for d in found["do_values"]} == {
        v: int((batch.value == v).sum()) for v in (-2.0, 2.0)
    }
    assert found["returns"] == pytest.approx(batch.returns.mean(dtype=float), rel=1e-5)
    assert found["random_return"] is None
    size = sum(f.stat().st_size for f in (tmp_path / "log").glob("*.parquet"))
    assert found["bytes_per_episode"] == pytest.approx(size / 200, abs=0.05)


def test_summary_survives_damage(dataset):
    (dataset / "shard-00000.parquet").write_bytes(b"")
    found = summary(Dataset(dataset))
    assert found["readable_rows"] == 25
    assert len(found["damage"]) == 1
