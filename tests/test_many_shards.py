"""Datasets of many shards: their manifests, how often those are saved, and who wrote the shards."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest

from seedo.episodes import Dataset, DatasetWriter, Shard, Written, summary
from seedo.errors import UserError
from seedo.execution import cpu_type
from test_episodes import contents, make, open_writer, run_job, shard_batch

MANY = 10_001


def simulated(folder, count, gap=None):
    """The folder of a dataset of so many shards of one episode, by its manifest alone."""
    rng = np.random.default_rng(0)
    numbers = [i for i in range(count + (gap is not None)) if i != gap]
    digests = [bytes(row).hex() for row in rng.integers(0, 256, (count, 32), np.uint8)]
    sizes = rng.integers(1, 2_000_000, count).tolist()
    run_job(folder, stop_after=1)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    entries = [
        {"shard": f"shard-{i:05d}.parquet", "rows": 1, "sha256": digest, "bytes": size}
        for i, digest, size in zip(numbers, digests, sizes, strict=True)
    ]
    manifest |= {"shard_rows": 1, "total": numbers[-1] + 1, "shards": entries}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return [Shard(e["shard"], 1, e["sha256"], e["bytes"]) for e in entries]


def written(shards, number, cpu="x"):
    return Written(shards[number], 4, (), cpu)


def filled(folder, shards, count):
    """A job that enters shards which others say they have written."""
    with DatasetWriter(folder, make().origin, 1, count, {}) as writer:
        for number in range(count):
            writer.add(written(shards, number))


def test_many_shards_stand_in_columns_and_read_back_as_they_were(tmp_path):
    shards = simulated(tmp_path / "one", MANY, gap=17)
    assert list(Dataset(tmp_path / "one").shards) == shards  # one by one, as ever
    whole = simulated(tmp_path / "two", MANY)
    filled(tmp_path / "log", whole, MANY)
    told = json.loads((tmp_path / "log" / "manifest.json").read_bytes())["shards"]
    assert told["numbers"] == [[0, MANY - 1]]
    dataset = Dataset(tmp_path / "log")
    assert list(dataset.shards) == whole
    assert dataset.complete
    assert dataset.shards[-1] == whole[-1]
    assert list(dataset.shards[3:5]) == whole[3:5]


@pytest.mark.parametrize(
    ("field", "change", "words"),
    [
        ("numbers", lambda old: [[0, 10**12]], "there are 10001 checksums"),
        ("numbers", lambda old: [[5, 10_000], [0, 4]], "must rise"),
        ("numbers", lambda old: [[0, True]], "pairs of whole numbers"),
        ("rows", lambda old: old[1:], "10001 whole numbers above 0"),
        ("bytes", lambda old: [-1, *old[1:]], "10001 whole numbers above 0"),
        ("bytes", lambda old: [2**70, *old[1:]], "10001 whole numbers above 0"),
        ("bytes", lambda old: [1.5, *old[1:]], "10001 whole numbers above 0"),
        ("sha256", lambda old: old[:-1], "64 hexadecimal digits"),
        ("sha256", lambda old: "x" + old[1:], "64 hexadecimal digits"),
    ],
)
def test_columns_that_cannot_be_are_named(columns, tmp_path, field, change, words):
    told = json.loads(columns)
    told["shards"][field] = change(told["shards"][field])
    (tmp_path / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(UserError, match=rf"shards\.{field}.*{words}"):
        Dataset(tmp_path)


@pytest.fixture(scope="module")
def columns(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    filled(folder / "log", simulated(folder / "one", MANY), MANY)
    return (folder / "log" / "manifest.json").read_bytes()


def test_the_manifest_is_saved_seldom_where_saving_takes_long(tmp_path, monkeypatch):
    """Where a save takes 0.2 s and shards come at once, few saves are made, the last one too."""
    from seedo.episodes import _writer

    saves = []

    def slow(path, data, shared=False, real=_writer.write_atomic):
        if path.name == "manifest.json":
            saves.append(len(json.loads(data)["shards"]))
            time.sleep(0.2)
        real(path, data, shared)

    shards = simulated(tmp_path / "one", 200)
    monkeypatch.setattr(_writer, "write_atomic", slow)
    filled(tmp_path / "log", shards, 200)
    assert len(saves) <= 8  # a second's worth in any case
    assert saves[-1] == 200
    assert list(Dataset(tmp_path / "log").shards) == shards


def test_what_was_not_listed_yet_is_listed_a_little_later_or_on_closing(tmp_path, monkeypatch):
    from seedo.episodes import _writer

    monkeypatch.setattr(_writer, "_FREELY", 0.0)
    monkeypatch.setattr(_writer, "_SHARE", 0.02)
    with open_writer(tmp_path / "log") as writer:
        for shard in range(3):
            writer.write(shard, shard_batch(shard, 10))
        until = time.monotonic() + 20
        while len(Dataset(tmp_path / "log").shards) < 3:
            assert time.monotonic() < until
            time.sleep(0.05)
    monkeypatch.setattr(_writer, "_SHARE", 1e-9)
    with open_writer(tmp_path / "other") as writer:
        for shard in range(3):
            writer.write(shard, shard_batch(shard, 10))
    assert len(Dataset(tmp_path / "other").shards) == 3
    run_job(tmp_path / "other", resume=True)
    run_job(tmp_path / "log", resume=True)
    assert contents(tmp_path / "other") == contents(tmp_path / "log")


def test_shards_that_callers_go_by_are_listed_at_once(tmp_path, monkeypatch):
    from seedo.episodes import _writer

    monkeypatch.setattr(_writer, "_FREELY", 0.0)
    monkeypatch.setattr(_writer, "_SHARE", 1e-9)
    job = {"beside": ("journal.jsonl",)}
    with DatasetWriter(tmp_path / "log", make().origin, 10, 35, {}, **job) as writer:
        for shard in range(3):
            writer.write(shard, shard_batch(shard, 10))
            assert len(Dataset(tmp_path / "log").shards) == shard + 1


@pytest.mark.slow
def test_a_manifest_of_a_million_shards_opens_in_five_seconds(tmp_path):
    """As the writer leaves it; the time that the writer takes grows with their number alone."""
    shards = simulated(tmp_path / "one", 1_000_000)
    began = time.process_time()
    filled(tmp_path / "log", shards, 1_000_000)
    assert time.process_time() - began < 120
    began = time.process_time()
    dataset = Dataset(tmp_path / "log")
    assert time.process_time() - began <= 5
    assert dataset.rows == 1_000_000
    assert dataset.shards[123_456] == shards[123_456]


def test_the_manifest_names_the_processors_and_another_one_is_marked(tmp_path):
    run_job(tmp_path / "log", stop_after=1)
    assert Dataset(tmp_path / "log").cpu_types == (cpu_type(),)
    said = []
    job = {"episodes": 35, "world": {"n": 3, "preset": "linear"}}
    with DatasetWriter(
        tmp_path / "log", make().origin, 10, 35, job, resume=True, warn=said.append
    ) as writer:
        for shard in (1, 2):
            found = writer.plan.write(shard, shard_batch(shard, 10))
            again = Written.from_json(json.loads(json.dumps(found.to_json())))
            writer.add(replace(again, cpu="abacus"))
    assert len(said) == 1
    assert "abacus" in said[0]
    run_job(tmp_path / "log", resume=True)
    assert summary(Dataset(tmp_path / "log"))["cpu_types"] == sorted(["abacus", cpu_type()])


def test_manifests_that_name_no_processor_are_read_and_gone_on_with(tmp_path):
    run_job(tmp_path / "log", stop_after=2)
    file = tmp_path / "log" / "manifest.json"
    told = json.loads(file.read_bytes())
    del told["cpu_types"]
    file.write_text(json.dumps(told))
    assert Dataset(tmp_path / "log").cpu_types == ()
    run_job(tmp_path / "log", resume=True)
    assert Dataset(tmp_path / "log").cpu_types == (cpu_type(),)
    file.write_text(json.dumps(told | {"cpu_types": [1]}))
    with pytest.raises(UserError, match="cpu_types"):
        Dataset(tmp_path / "log")
