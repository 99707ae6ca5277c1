"""A text understudy plays the same through `transformers serve` as in this process."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from seedo import worlds
from seedo.episodes import Dataset
from seedo.language import Calls, Conditions, load_speaker, record_llm, record_speaker
from seedo.learning import agent_folder

pytestmark = pytest.mark.slow
EPISODES = 10


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Name of the served model in Inspect; `transformers serve` answers for it on loopback."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    pytest.importorskip("uvicorn")
    command = shutil.which("transformers", path=str(Path(sys.executable).parent))
    if command is None:
        pytest.skip("transformers has no command line here")
    folder = tmp_path / "agent"
    shutil.copytree(agent_folder("pretrained:dag-text")[0], folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path / "serve.log").open("w")
    server = subprocess.Popen(
        [command, "serve", str(folder), "--host", "127.0.0.1", "--port", str(port),
         "--device", "cpu"],
        stdout=log, stderr=log, env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    base = f"http://127.0.0.1:{port}/v1"
    monkeypatch.setenv("LOCAL_BASE_URL", base)
    monkeypatch.setenv("LOCAL_API_KEY", "none")
    asked = json.dumps(
        {"model": str(folder), "messages": [{"role": "user", "content": "Variables: dax fep"}]}
    ).encode()
    try:
        for _ in range(120):
            request = urllib.request.Request(
                f"{base}/chat/completions", asked, {"content-type": "application/json"}
            )
            try:
                urllib.request.urlopen(request, timeout=60).read()
                break
            except (urllib.error.URLError, OSError):
                assert server.poll() is None, (tmp_path / "serve.log").read_text()
                time.sleep(1)
        yield f"openai-api/local/{folder}"
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def actions(path):
    dataset = Dataset(path)
    shards = [dataset.read_shard(i) for i in range(len(dataset.shards))]
    return [np.concatenate([getattr(s, name) for s in shards]) for name in ("target", "value")]


def test_over_http_it_does_what_it_does_in_process(served, tmp_path):
    world = worlds.make("dag", split="heldout-link")
    inside = load_speaker("pretrained:dag-text")
    plain = Conditions(names="twelve", turns=False)  # what it has learnt to read, told by others
    record_speaker(world, inside, EPISODES, 0, tmp_path / "inside", conditions=plain)
    run = record_llm(
        world, served, EPISODES, 0, tmp_path / "http", calls=Calls(max_connections=2),
        conditions=plain,
    )  # fmt: skip
    assert run.finished == EPISODES, run
    for inside, outside in zip(
        actions(tmp_path / "inside"), actions(tmp_path / "http"), strict=True
    ):
        np.testing.assert_array_equal(inside, outside)
