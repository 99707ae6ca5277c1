"""Object stores: the same logs as in a folder, whatever the store answers."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from command import run
from seedo.episodes import DamagedShard, Dataset, DatasetWriter, summary
from seedo.errors import UserError
from seedo.storage import Hold, in_store, local_path, place, write_atomic
from stores import BUCKET, FAULTS, KEYS, between, by_chance
from test_episodes import contents, make, open_writer, run_job

DEAD = "http://127.0.0.1:1"
"""An address at which nobody answers."""


def objects(address):
    """Names and contents of what lies in a folder of a store."""
    return {one.name: one.read_bytes() for one in place(address).iterdir()}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    path = tmp_path_factory.mktemp("reference") / "log"
    run_job(path)
    return path


# Addresses


def test_paths_stay_paths_and_addresses_keep_their_slashes(tmp_path):
    assert place(f"file://{tmp_path}/a%20b") == tmp_path / "a b"
    assert place("logs/dag") == Path("logs/dag") == place(Path("logs/dag"))
    there = place("s3://bucket//a/b.parquet/")
    assert str(there) == "s3://bucket/a/b.parquet"
    assert str(there.parent / "c") == "s3://bucket/a/c"
    assert (there.name, there.suffix) == ("b.parquet", ".parquet")
    assert in_store("gs://x/y")
    assert not in_store("s3:/x/y")
    with pytest.raises(UserError, match="this machine"):
        local_path("--out", "s3://x/y")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("s3://", "names no bucket"),
        ("az:///a", "names no container"),
        ("ftp://host/a", "use file://, s3://"),
        ("s3://bucket/../other", "leave out"),
        ("file://a/b", "three slashes"),
        ("s3://AKIA123:secret@bucket/a", "come from the environment"),
        ("s3://bucket/a?X-Amz-Signature=secret", "come from the environment"),
    ],
)
def test_addresses_that_cannot_be_are_refused_and_secrets_not_repeated(address, words):
    with pytest.raises(UserError, match=words) as error:
        place(address)
    assert "secret" not in str(error.value)
    assert "AKIA" not in str(error.value)


def test_nothing_of_a_store_is_imported_before_one_is_used():
    code = "import sys, seedo.cli, seedo.storage; seedo.storage.place('s3://a/b');"
    code += "sys.exit(bool({'fsspec', 's3fs', 'aiohttp'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)


# Datasets in a store


def test_a_log_in_a_store_has_the_bytes_of_one_in_a_folder(s3, reference):
    run_job(s3)
    assert objects(s3) == contents(reference)
    ours, theirs = Dataset(s3), Dataset(reference)
    assert ours.manifest_hash == theirs.manifest_hash
    assert ours.verify() == []
    assert summary(ours) | {"path": ""} == summary(theirs) | {"path": ""}


def test_any_file_system_of_fsspec_will_do(reference, tmp_path, monkeypatch):
    """One without tags or conditions: `memory://`, of this process."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    address = f"memory://bucket/{tmp_path.name}"
    run_job(address, stop_after=2)
    run_job(address, resume=True)
    assert objects(address) == contents(reference)
    assert Dataset(address).verify() == []
    with open_writer(f"{address}-held") as writer, monkeypatch.context() as patch:
        patch.setattr("seedo.storage._lease.RENEWED", 0.2)
        writer._hold._lease._renew()
        writer._hold.check()


@pytest.mark.slow
def test_a_lease_that_is_torn_is_written_again(s3, s3_server, monkeypatch):
    fault, _ = by_chance(3, share=0.5)
    with between(s3_server, lambda c, p: "tear" if c == "PUT" and fault(c, p) else "") as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        hold = Hold(place(s3))
        for _ in range(10):
            hold._lease._renew()
        hold.check()
        hold.release()
    assert objects(s3) == {}


def test_batches_from_a_store_are_those_from_a_folder(s3, tmp_path):
    for path in (s3, tmp_path / "log"):
        with DatasetWriter(path, make().origin, 5, 100, {}) as writer:
            while (shard := writer.next_shard) is not None:
                writer.write(shard, make(5, seed=shard, first=5 * shard))
    for again in range(2):  # the second time from what was kept
        pairs = zip(
            Dataset(s3).batches(8, 3, again, skip=2),
            Dataset(tmp_path / "log").batches(8, 3, again, skip=2),
            strict=True,
        )
        assert (
            sum(one.episode_id.tolist() == other.episode_id.tolist() for one, other in pairs) == 10
        )


def test_what_is_kept_of_a_store_stays_within_its_size(s3, tmp_path, monkeypatch):
    monkeypatch.setenv("SEEDO_STORE_CACHE", "1")
    big = make(3000, extras=True)
    with DatasetWriter(s3, big.origin, 500, 3000 * 5, {}) as writer:
        while (shard := writer.next_shard) is not None:
            rows = (shard % 6) * 500
            writer.write(shard, big.take(slice(rows, rows + 500)))
    dataset = Dataset(s3)
    assert sum(shard.bytes for shard in dataset.shards) > 2**20
    dataset.read()
    kept = list((tmp_path / "cache" / "seedo" / "objects").iterdir())
    assert kept
    assert sum(file.stat().st_size for file in kept) <= 2**20
    kept[0].write_bytes(b"?" * kept[0].stat().st_size)  # altered here: asked for again
    assert Dataset(s3).verify() == []


def test_damage_in_a_store_is_named_and_mended(s3, reference):
    run_job(s3)
    whole = objects(s3)
    (place(s3) / "shard-00001.parquet").write(whole["shard-00001.parquet"][:-7])
    (place(s3) / "shard-00002.parquet").unlink()
    altered = bytearray(whole["shard-00003.parquet"])
    altered[40] ^= 1
    (place(s3) / "shard-00003.parquet").write(altered)
    words = [str(error) for error in Dataset(s3).verify()]
    assert [w.split(":")[1][-7:] for w in words] == ["parquet"] * 3
    assert "truncated" in words[0]
    assert "missing" in words[1]
    assert "delete it, then write it again" in words[2]
    with pytest.raises(DamagedShard):
        Dataset(s3).read()
    (place(s3) / "shard-00003.parquet").unlink()
    run_job(s3, resume=True)
    assert objects(s3) == contents(reference)


def test_opening_a_log_reads_its_manifest_and_nothing_else(s3, monkeypatch, s3_server):
    run_job(s3)
    asked = []
    with between(s3_server, lambda command, path: asked.append((command, path)) or "") as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        Dataset(s3)
    assert [(command, path.rpartition("/")[2]) for command, path in asked] == [
        ("GET", "manifest.json")
    ]


# Faults


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 21))]
)
def test_whatever_the_store_answers_nothing_is_lost_or_doubled(
    s3, s3_server, monkeypatch, reference, seed
):
    """A third of all requests goes wrong, in every way, while a log is written and read."""
    monkeypatch.setenv("SEEDO_STORE_SECONDS", "300")  # so many faults in a row are rare, but are
    fault, done = by_chance(seed)
    with between(s3_server, fault) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        run_job(s3, stop_after=2)
        run_job(s3, resume=True)
        assert Dataset(s3).verify() == []
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    assert objects(s3) == contents(reference)
    assert sum(done.values()) > 5, done


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_alone_is_overcome(s3, s3_server, monkeypatch, kind):
    """The first request of each kind that can be met with it goes wrong."""
    met = set()

    def fault(command, path):
        able = {"tear": ("PUT",), "cut": ("GET",)}.get(kind, ("PUT", "GET", "HEAD"))
        if command in able and command not in met:
            met.add(command)
            return kind
        return ""

    with between(s3_server, fault) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        there = place(s3) / "a"
        write_atomic(there, b"all of it")
        assert there.read_bytes() == b"all of it"
        assert (place(s3) / "b").create(b"1")
    assert met


def test_a_write_that_is_always_torn_is_refused(s3, s3_server, monkeypatch):
    monkeypatch.setenv("SEEDO_STORE_SECONDS", "1")
    with between(s3_server, lambda command, path: "tear" if command == "PUT" else "") as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        with pytest.raises(UserError, match="kept 5 of 10 bytes") as error:
            write_atomic(place(s3) / "a", b"0123456789")
    assert "\n" not in str(error.value)


KILLED = """
import sys
sys.path.insert(0, {tests!r})
from test_episodes import open_writer, shard_batch
with open_writer({address!r}, resume=True) as writer:
    writer.write(writer.next_shard, shard_batch(writer.next_shard, 10))
    print("written", flush=True)
    sys.stdin.read()
"""


def test_a_driver_that_is_killed_leaves_what_another_goes_on_with(s3, reference, tmp_path):
    code = KILLED.format(tests=str(Path(__file__).parent), address=s3)
    driver = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path
    )
    assert driver.stdout.readline() == b"written\n"
    assert "writing.json" in objects(s3)
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    run_job(s3, resume=True)  # at once: a process of this machine is known to be dead
    assert objects(s3) == contents(reference)


FILLING = """
import sys
sys.path.insert(0, {tests!r})
from test_episodes import run_job
print("begun", flush=True)
run_job({address!r}, resume=True)
"""


@pytest.mark.slow
def test_drivers_that_are_killed_at_any_moment_leave_nothing_half_done(
    s3, s3_server, monkeypatch, reference
):
    """Each goes on where the last was killed, while requests fail too."""
    monkeypatch.setenv("SEEDO_STORE_SECONDS", "300")
    rng = random.Random(7)
    code = FILLING.format(tests=str(Path(__file__).parent), address=s3)
    fault, _ = by_chance(7, share=0.2)
    with between(s3_server, fault) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        for _ in range(8):
            driver = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
            driver.stdout.readline()
            with contextlib.suppress(subprocess.TimeoutExpired):
                driver.wait(rng.uniform(0.2, 3))
            driver.kill()
            driver.communicate()
        run_job(s3, resume=True)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    assert objects(s3) == contents(reference)


def test_a_second_driver_is_refused_while_the_first_lives(s3, monkeypatch):
    monkeypatch.setattr("seedo.storage._lease.RENEWED", 0.2)
    said = []
    with open_writer(s3), pytest.raises(UserError, match="another job is writing") as error:
        DatasetWriter(s3, make().origin, 10, 35, {}, resume=True, warn=said.append)
    assert f"process {os.getpid()}" in str(error.value)
    assert "waiting" in said[0]
    open_writer(s3, resume=True).close()


def test_a_driver_of_another_machine_counts_as_dead_when_it_is_silent(s3, monkeypatch):
    monkeypatch.setattr("seedo.storage._lease.STALE", 1.0)
    about = {"holder": "x", "host": "far", "machine": "another", "process": 1, "beat": 7}
    (place(s3) / "writing.json").write(json.dumps(about).encode())
    began = time.monotonic()
    hold = Hold(place(s3))
    assert time.monotonic() - began >= 1.0
    hold.check()
    # Where the other was only slow, the one who was taken for dead writes no more.
    (place(s3) / "writing.json").write(json.dumps(about).encode())
    hold._lease._renewed -= 100
    with pytest.raises(UserError, match="taken this folder over"):
        hold.check()
    hold.release()
    assert json.loads((place(s3) / "writing.json").read_bytes()) == about


# Commands


@pytest.mark.slow
def test_commands_give_the_same_from_a_store_and_from_a_folder(s3, tmp_path, capsys, monkeypatch):
    """Watch, learn, perform, review, inspect and ask."""
    monkeypatch.chdir(tmp_path)
    small = ("--episodes", "200", "--n", "3", "--seed", "5")
    quick = ("--batch-size", "32", "--width", "size=16", "--width", "layers=1")
    said = {}
    for where in ("on-disk", s3):
        log, played = f"{where}/log", f"{where}/run"
        agent = tmp_path / f"agent-{where == s3}" / "agent"
        kept = f"{s3}/agent" if where == s3 else str(agent)
        for words in (
            ("watch", "--out", log, *small),
            ("learn", log, "--out", str(agent), *quick),
        ):
            code, _, error = run(capsys, *words)
            assert code == 0, error
        if where == s3:
            for file in agent.iterdir():
                (place(s3) / "agent" / file.name).write(file.read_bytes())
            shutil.rmtree(agent)
        for words in (
            ("perform", kept, "--out", played, *small),
            ("inspect", log, "--json"),
            ("review", played, "--json"),
            ("ask", log, "--episode", "3", "what should be tried next?", "--json"),
        ):
            code, out, error = run(capsys, *words)
            assert code == 0, (words, error)
            said[where, words[0]] = out.replace(kept, "AGENT").replace(where, "WHERE")
    for name in ("inspect", "review", "ask"):
        assert said["on-disk", name] == said[s3, name]
    assert contents(tmp_path / "on-disk" / "log") == objects(f"{s3}/log")
    runs = [contents(tmp_path / "on-disk" / "run"), objects(f"{s3}/run")]
    told = [run.pop("manifest.json").decode() for run in runs]
    assert runs[0] == runs[1]
    assert told[0].replace(str(tmp_path / "agent-False"), s3) == told[1]
    agents = [contents(tmp_path / "agent-False" / "agent"), objects(f"{s3}/agent")]
    assert agents[0]["weights.safetensors"] == agents[1]["weights.safetensors"]


@pytest.mark.slow
def test_workers_write_to_a_store_and_no_key_travels(s3, tmp_path, capsys):
    small = ("--episodes", "200", "--n", "3", "--seed", "5")
    for out, more in ((s3, ("--executor", "local:2")), (tmp_path / "log", ())):
        code, _, error = run(capsys, "watch", "--out", str(out), *small, *more)
        assert code == 0, error
    assert objects(s3) == contents(tmp_path / "log")
    with DatasetWriter(f"{s3}/other", make().origin, 5, 100, {}) as writer:
        told = json.dumps(writer.plan.to_json())
    assert f"{s3}/other" in told
    assert not any(KEYS[name] in told for name in KEYS if "KEY" in name)


SMALL = ("--episodes", "40", "--n", "3")
BAD = {
    "dead address": ("inspect S3/log", "dead", "nobody answers there: check the address"),
    "dead address to write to": ("watch --out S3/new", "dead", "nobody answers there"),
    "wrong key": ("inspect S3/log", "403 InvalidAccessKeyId", "AWS_ACCESS_KEY_ID"),
    "wrong secret": ("inspect S3/log", "403 SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"),
    "expired token": ("learn S3/log --out OUT", "403 ExpiredToken", "have expired"),
    "may not read": ("inspect S3/log", "403 AccessDenied", "no permission"),
    "may not write": ("watch --out S3/new", "PUT 403 AccessDenied", "no permission"),
    "read-only": ("watch --out S3/new", "PUT 405 MethodNotAllowed", "read-only"),
    "always busy": ("inspect S3/log", "503", "tried for 1 s, see SEEDO_STORE_SECONDS"),
    "no credentials": ("inspect S3/log", "unset", "no credentials"),
    "missing bucket": ("inspect s3://no-such-bucket/log", "", "no such bucket: make it first"),
    "missing bucket to write to": ("watch --out s3://no-such-bucket/log", "", "no such bucket"),
    "unknown kind of store": ("learn ftp://host/log --out OUT", "", "use file://, s3://"),
    "package that is missing": ("inspect gs://bucket/log", "", 'pip install "seedo[gs]"'),
    "secret in the address": ("inspect s3://key:secret@bucket/log", "", "from the environment"),
    "object in place of a folder": ("inspect S3/log/manifest.json", "", "not a folder"),
    "object to write to": ("watch --out S3/log/manifest.json", "", "this is an object"),
    "no dataset": ("review S3/other", "", "holds no manifest.json"),
    "nothing there": ("learn S3/nothing --out OUT", "", "no such folder"),
    "truncated manifest": ("inspect S3/half", "", "not valid JSON"),
    "not empty": ("watch --out S3/log", "", "--resume"),
    "another job": ("watch --out S3/log --resume", "", "begun with"),
    "something else there": ("watch --out S3/other --resume", "", "holds 'a.txt'"),
    "no agent": ("perform S3/log --out OUT", "", "no agent.json"),
    "agent into a store": ("learn S3/log --out S3/agent", "", "this machine"),
    "report into a store": ("review S3/log --out S3/report.html", "", "this machine"),
    "table in a store": ("import S3/log/a.csv --out OUT", "", "this machine"),
    "no time": ("inspect S3/log", "SEEDO_STORE_SECONDS=soon", "give seconds"),
    "no size": ("inspect S3/log", "SEEDO_STORE_CACHE=1GB", "give whole mebibytes"),
}


@pytest.fixture(scope="module")
def stocked(s3_server):
    """A folder of the store with a log, and with what is none."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": s3_server}.items():
            patch.setenv(name, value)
        address = f"s3://{BUCKET}/stocked"
        run_job(f"{address}/log")
        (place(address) / "other/a.txt").write(b"mine")
        manifest = (place(address) / "log/manifest.json").read_bytes()
        (place(address) / "half/manifest.json").write(manifest[:200])
        yield address


@pytest.mark.parametrize(("typed", "how", "words"), BAD.values(), ids=BAD)
def test_what_cannot_be_is_one_line_and_exit_code_2(
    stocked, s3_server, capsys, monkeypatch, tmp_path, typed, how, words
):
    monkeypatch.setenv("SEEDO_STORE_SECONDS", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if "=" in how:
        monkeypatch.setenv(*how.split("="))
    if how == "unset":
        for name in (*KEYS, "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("HOME", str(tmp_path))
    method, _, fault = how.partition(" ") if how.startswith("PUT") else ("", "", how)

    def answer(command, path):
        return fault if fault[:1].isdigit() and command.startswith(method) else ""

    with between(s3_server, answer) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", DEAD if how == "dead" else address)
        asked = [w.replace("S3", stocked).replace("OUT", f"{tmp_path}/new") for w in typed.split()]
        more = SMALL if asked[0] in ("watch", "perform") else ()
        code, out, error = run(capsys, *asked, *more)
    lines = [
        line
        for line in error.splitlines()
        if not line.startswith(("watching:", "learning:", "review:"))
    ]
    assert (code, out, len(lines)) == (2, "", 1), error
    assert words in lines[0]
    assert "key:secret" not in lines[0]
    assert not (tmp_path / "new").exists()
