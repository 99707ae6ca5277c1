"""Learning from an object store against learning from disk, in turns, and what lies below.

    python benchmarks/object_store.py [--episodes 60000] [--rounds 3] [--quick] [--out FILE]

An S3 server (moto) runs on this machine in a process of its own and takes its share of the cores,
so the figures are on the safe side for a store elsewhere and say nothing of a network. Each round
learns from disk, then from the store with nothing kept of it, for one pass over the same logs; the
time between a tenth of the way and its end counts, without what is compiled. Beside it: a pass over
minibatches alone, from disk, from the store, and again with what was kept; and the manifest of a
million shards. `--quick` shows in seconds that all of it runs. The last line is JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from _sizes import sized

from seedo.episodes import Dataset, DatasetWriter, Origin, Shard, Written
from seedo.storage import place

BUCKET = "bench"


@contextlib.contextmanager
def server() -> Iterator[None]:
    """An S3 server with a bucket; the environment leads there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }
    asked = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        import boto3

        until = time.monotonic() + 60
        while True:
            try:
                boto3.client("s3").create_bucket(Bucket=BUCKET)
                break
            except Exception:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
        yield
    finally:
        process.kill()
        process.wait()


def logs(folder: Path, address: str, episodes: int) -> None:
    """The same log on disk and in the store."""
    from seedo import play, worlds

    world = worlds.make("dag", n=5)
    player = play.find_player("scripted:expert", world)
    play.watch(world, player, episodes, 0, folder)
    for file in folder.iterdir():
        (place(address) / file.name).write(file.read_bytes())


def learning_seconds(log: str | Path, out: Path, batch: int) -> float:
    """Seconds between a tenth and the end of one pass."""
    from seedo import learning

    times: list[tuple[float, float]] = []
    recipe = learning.Recipe(epochs=1.0, batch_size=batch)
    note = times.append
    learning.learn([log], out, recipe, progress=lambda r: note((r.fraction, time.perf_counter())))
    counted = [at for fraction, at in times if fraction >= 0.1]
    return counted[-1] - counted[0]


def passing_seconds(log: str | Path, batch: int) -> float:
    """Seconds for one pass over minibatches that nobody learns from."""
    start = time.perf_counter()
    for _ in Dataset(log).batches(batch, 0):
        pass
    return time.perf_counter() - start


def fresh_cache(folder: Path, name: str) -> None:
    os.environ["XDG_CACHE_HOME"] = str(folder / name)


def manifest(folder: Path, count: int) -> dict[str, float]:
    """Seconds of this process to write the manifest of so many shards, and to open it."""
    origin = Origin("dag", '{"n": 3}', "train", 0, "expert", ("A", "B", "C"))
    start = time.process_time()
    with DatasetWriter(folder, origin, 1, count, {}) as writer:
        for i in range(count):
            shard = Shard(f"shard-{i:05d}.parquet", 1, f"{i * 7919:064x}", 1_000_000 + i)
            writer.add(Written(shard, 4, (), "x"))
    written = time.process_time()
    Dataset(folder)
    return {
        "shards": count,
        "write_cpu_s": written - start,
        "open_cpu_s": time.process_time() - written,
        "bytes": (folder / "manifest.json").stat().st_size,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--shards", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path)
    small = {"episodes": 2_000, "rounds": 1, "batch": 64, "shards": 20_000}
    given = sized(parser, **small)
    with tempfile.TemporaryDirectory() as made, server():
        folder, address = Path(made), f"s3://{BUCKET}/log"
        logs(folder / "log", address, given.episodes)
        learning_seconds(folder / "log", folder / "warm", given.batch)
        disk, store, passes = [], [], {"disk": [], "store": [], "kept": []}
        for turn in range(given.rounds):
            fresh_cache(folder, f"learn-{turn}")
            disk.append(learning_seconds(folder / "log", folder / f"disk-{turn}", given.batch))
            store.append(learning_seconds(address, folder / f"store-{turn}", given.batch))
            fresh_cache(folder, f"pass-{turn}")
            passes["disk"].append(passing_seconds(folder / "log", given.batch))
            passes["store"].append(passing_seconds(address, given.batch))
            passes["kept"].append(passing_seconds(address, given.batch))
        same = (folder / "disk-0" / "weights.safetensors").read_bytes()
        found = {
            "episodes": given.episodes,
            "learning_disk_s": disk,
            "learning_store_s": store,
            "speed_of_store": statistics.median(np.array(disk) / np.array(store)),
            "same_weights": same == (folder / "store-0" / "weights.safetensors").read_bytes(),
            "pass_s": {name: statistics.median(each) for name, each in passes.items()},
            "manifest": manifest(folder / "many", given.shards),
        }
    text = json.dumps(found, sort_keys=True)
    if given.out:
        given.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
