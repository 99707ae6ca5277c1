"""A real Ray cluster of two nodes on this machine: the same bytes, whoever dies."""

import contextlib
import os
import random
import signal
import threading
from pathlib import Path

import pytest

from seedo import play, worlds
from seedo.errors import UserError
from seedo.execution import Task, open_workers, spread

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.slow

WORLD = worlds.make("dag", n=3)
EXPERT = "scripted:expert"


def watched(out, workers=None, count=2000):
    player = play.find_player(EXPERT, WORLD)
    at = workers and play.Elsewhere(workers, EXPERT)
    play.watch(WORLD, player, count, 5, out, name=EXPERT, elsewhere=at)
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


@pytest.fixture(scope="module")
def cluster():
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    made.add_node(num_cpus=1)
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def workers(cluster):
    with open_workers(f"ray:{cluster.address}") as found:
        assert found.count == 2
        yield found


def ray_workers():
    """Processes that do Ray's tasks."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and b"ray::" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def test_two_nodes_write_what_one_process_writes(workers, tmp_path):
    assert watched(tmp_path / "ray", workers) == watched(tmp_path / "serial")


def test_workers_and_nodes_that_are_killed_lose_and_double_nothing(cluster, workers, tmp_path):
    drawn, answered, deaths = random.Random(0), [], 0
    naps = ((i, Task("sleep", {"seconds": 0.1})) for i in range(200))
    for key, _ in spread(naps, workers):
        answered.append(key)
        if deaths == 20 or drawn.random() > 0.15:
            continue
        deaths += 1
        if deaths % 7 == 0:
            cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
            cluster.add_node(num_cpus=1)
        else:
            with contextlib.suppress(IndexError, ProcessLookupError):
                os.kill(drawn.choice(ray_workers()), signal.SIGKILL)
    assert deaths == 20
    assert sorted(answered) == list(range(200))
    over = threading.Event()

    def kill():
        while not over.wait(drawn.uniform(0.5, 2)):
            with contextlib.suppress(IndexError, ProcessLookupError):
                os.kill(drawn.choice(ray_workers()), signal.SIGKILL)
                if not drawn.randrange(3):
                    return

    killer = threading.Thread(target=kill)
    killer.start()
    found = watched(tmp_path / "ray", workers)
    over.set()
    killer.join()
    assert found == watched(tmp_path / "serial")


def test_a_cluster_that_is_not_there_is_one_line():
    ray.shutdown()
    with pytest.raises(UserError, match="no cluster to be joined"), open_workers("ray:127.0.0.1:1"):
        pass
