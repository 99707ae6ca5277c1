"""Seconds to write, read back and stream a dataset: `python benchmarks/log_store.py`.

The episodes are synthetic (n = 5, 5 experiments and 1 exploit step, standard normal outcomes, which
do not compress) and are made outside the timed parts. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
from _sizes import sized

from seedo.episodes import Dataset, DatasetWriter, EpisodeBatch, Origin

N, STEPS = 5, 6
ORIGIN = Origin("dag", '{"n": 5, "preset": "linear"}', "train", 0, "expert", tuple("ABCDE"))


def episodes(shard: int, rows: int) -> EpisodeBatch:
    """One shard as an expert would leave it: every variable once, then the exploit action."""
    rng = np.random.default_rng(shard)
    target = np.argsort(rng.random((rows, N)), axis=1)
    target = np.concatenate([target, rng.integers(0, N, (rows, 1))], axis=1)
    value = rng.choice(np.array([-2.0, 2.0], np.float32), (rows, STEPS))
    outcome = rng.standard_normal((rows, STEPS, N), np.float32)
    np.put_along_axis(outcome, target[:, :, None], value[:, :, None], axis=2)
    goal = np.full((rows, STEPS), -1)
    goal[:, -1] = rng.integers(0, N, rows)
    return EpisodeBatch(
        origin=ORIGIN,
        episode_id=np.arange(rows) + shard * 1_000_000,
        phase=np.tile([1, 1, 1, 1, 1, 2], (rows, 1)),
        target=target,
        value=value,
        outcome=outcome,
        mask=np.ones((rows, N), np.bool_),
        goal=goal,
        returns=rng.standard_normal(rows, np.float32),
        oracle_return=rng.standard_normal(rows, np.float32),
        random_return=np.zeros(rows, np.float32),
    )


def main() -> None:
    """Prints one line for each part, then all figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=1_000_000)
    parser.add_argument("--shard-rows", type=int, default=16_384)
    parser.add_argument("--batch-size", type=int, default=512)
    options = sized(parser, episodes=1000, shard_rows=256)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        write = 0.0
        with DatasetWriter(path, ORIGIN, options.shard_rows, options.episodes, {}) as writer:
            while (shard := writer.next_shard) is not None:
                batch = episodes(shard, writer.rows_of(shard))
                begun = time.perf_counter()
                writer.write(shard, batch)
                write += time.perf_counter() - begun
        size = sum(file.stat().st_size for file in path.iterdir())
        begun = time.perf_counter()
        dataset = Dataset(path)
        rows = sum(dataset.read_shard(i).rows for i in range(len(dataset.shards)))
        read = time.perf_counter() - begun
        begun = time.perf_counter()
        streamed = sum(b.rows for b in dataset.batches(options.batch_size, seed=0))
        stream = time.perf_counter() - begun
    figures = {
        "episodes": rows,
        "write_s": round(write, 2),
        "read_s": round(read, 2),
        "bytes_per_episode": round(size / rows, 1),
        "stream_episodes_per_s": round(streamed / stream),
    }
    print(f"write  {write:8.2f} s")
    print(f"read   {read:8.2f} s, every value checked")
    print(f"size   {size / rows:8.1f} bytes an episode")
    print(
        f"stream {streamed / stream:12,.0f} episodes/s in shuffled batches of", options.batch_size
    )
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
