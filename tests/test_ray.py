"""A real Ray cluster of two nodes on this machine: the same bytes, whoever dies."""

import contextlib
import os
import random
import signal
import sys
import threading
from pathlib import Path

import pytest

from seedo import language, play, worlds
from seedo.episodes import Dataset
from seedo.execution import Task, open_workers, spread

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.cluster

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
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def workers(cluster):
    """Of two nodes; whoever asks stands on the first, so that it outlives the second."""
    with open_workers(f"ray:{cluster.address}") as found:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        assert found.count == 2
        yield found


def ray_workers():
    """Processes that do Ray's tasks; its own agents, whose death ends a node, are left alone."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            titles = (b"ray::carry_out", b"ray::IDLE")
            if folder.name.isdigit() and (folder / "cmdline").read_bytes().startswith(titles):
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


def test_a_processor_of_ray_data_plays_as_a_speaker(workers, tmp_path):
    """The engine is a function of the messages; that of `ray.data.llm` has the same columns."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
    from ray_speaker import RayDataSpeaker

    def engine(row):
        names = row["messages"][1]["content"].split("\n")[0].split()[1:]
        return {"place": row["place"], "reply": f"do {names[0]}=2.0"}

    class Here:
        name = "ray:engine"

        def replies(self, conversations):
            return [engine({"place": 0, "messages": said})["reply"] for said in conversations]

    fewer = {"at_once": 8, "systems": False}
    speaker = RayDataSpeaker("ray:engine", lambda rows: rows.map(engine))
    language.record_speaker(WORLD, speaker, 8, 0, tmp_path / "ray", **fewer)
    language.record_speaker(WORLD, Here(), 8, 0, tmp_path / "here", **fewer)
    one, other = (Dataset(tmp_path / name).read() for name in ("ray", "here"))
    assert (one.target == other.target).all()
    assert (one.target >= 0).any()
