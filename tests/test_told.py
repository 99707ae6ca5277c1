"""What the documentation tells people to type does what it says, in small: every command and every
piece of Python, page by page, in an empty folder with the files that the page takes for granted."""

from __future__ import annotations

import csv
import os
import random
import re
import shlex
import shutil
from pathlib import Path

import pytest

from command import run
from endpoint import Endpoint
from told import LEFT_OUT, PAGES, PYTHON, ROOT, SHELL, split, typed

pytestmark = pytest.mark.slow

ELSEWHERE = {
    # needs what a test has not: what begins so is run by
    "lab --": "test_lab_access",
    "review export": "test_mixed",
    "serve-mcp": "test_mcp",
    "study": "test_studies",
    "learn logs/dag --processes": "test_training_processes",
    "learn /shared": "test_training_processes",
    "perform agents/mine --executor ray": "test_ray",
    "perform pretrained:dag --executor ray": "test_ray",
    "watch --executor submitit": "test_execution",
    "watch --executor ray --out s3": "test_storage",
    "learn s3:": "test_storage",
    "perform s3:": "test_storage",
    "review s3:": "test_storage",
    "import --format": "test_people",
    "experiment campaign.toml": "test_campaign",
    "experiment FOLDER": "test_lab_data",
    "lab delete": "test_lab_study",
    "lab pay": "test_lab_recruit",
    "lab links": "test_lab_recruit",
    "lab export": "test_lab_study",
    "lab participants": "test_lab_study",
    "probe pretrained:dag-text": "test_text_steps",  # minutes
    "perform hf:": "test_hub",
    "learn logs/small --network hf:": "test_hub",
    "advise TABLE.csv": "test_lab_data",
    "watch --world levers": "test_plugins",
    "learn logs --out agent": "test_plugins",
    "perform agent --world levers": "test_plugins",
    "perform careful": "test_plugins",
    "review agent-run": "test_plugins",
    "review runs/before": "test_hub",
    "abstract chamber": "test_raw_worlds",
}
SMALL = {
    "watch": ["--episodes", "24"],
    "perform": ["--episodes", "6"],
    "learn": ["--batch-size", "4", "--epochs", "0.5"],
    "dagger": ["--expert-queries", "40"],
    "ppo": ["--steps", "2000"],
    "probe": ["--episodes", "60"],
    "abstract": ["--updates", "100"],
}
MORE = {
    # where less is too little
    "raw.md": {"watch": ["--episodes", "400"]},
}
NEEDED = {
    # what a page takes to be there already
    "fine-tuning.md": ["watch --out logs/dag", "learn logs/dag --out agents/x"],
    "frontier.md": ["perform random --out runs/a"],
    "perform.md": ["perform bayes:eig --out runs/bayes"],
    "mcp.md": ["perform random --out runs/assistant", "perform bayes:eig --out runs/bayes"],
    "questions.md": ["import levers.csv --out logs/mine"],
    "real-models.md": ["perform random --n 3 --out runs/qwen-2"],
    "comparing.md": [
        "perform random --n 3 --out runs/mine",
        "perform bayes:eig --n 3 --out runs/bayes",
        "perform scripted:largest-effect --n 3 --out runs/other",
    ],
    "index.md": ["watch --explain effects --out logs/dag"],
    "logs.md": ["watch --out logs/dag"],
    "campaigns.md": ["experiment --example > campaign.toml"],
}  # fmt: skip


PRELUDE = {
    # what a piece of Python takes to be there already; None: it is run elsewhere
    "from seedo import play\n\nwith play.Campaign": "def measure(setting):\n"
    "    return {'yield': 1.0, 'pressure': 3.0}",
    'import gymnasium, seedo\n\nenv = gymnasium.make("seedo/recorded': None,  # test_endpoints
    'import gymnasium, seedo\n\nenv = gymnasium.make("seedo/levers': None,  # test_plugins
    "import asyncio": None,  # test_mcp
    "from seedo.language.measures import recitation": None,  # test_names
    "from datasets import Dataset": None,  # TRL; the factory in test_reinforcement
    "# server.py": None,  # make test-openenv
    "from openenv": None,
    "from seedo.studies import Study": None,  # a sketch; test_execution runs such a study
    "from seedo.lab import embed": None,  # test_notebooks
    "pandas.read_parquet": "import datasets, pandas, polars",
    "from seedo import experimenters, worlds\nfrom levers": "import sys; "
    "sys.path += ['examples/my_world', 'examples/my_player']",
    "from seedo.worlds import make\n\nrooms": "import jax; key = jax.random.key(0)",
    'from seedo import play, worlds\n\nworld = worlds.make("dag")\nplayer': None,  # test_execution
    "table, warnings = seedo.tables": "import pathlib, seedo\n"
    "old = pathlib.Path('mine.csv').read_text().splitlines()\n"
    "new = ['did,' + old[0][5:] + ',patient', *(f'{row},{k}' for k, row in enumerate(old[1:]))]\n"
    "pathlib.Path('mine.csv').write_text('\\n'.join(new))",
}


def small(words, page):
    """The same command with less to do."""
    words = [re.sub(r"http://10\.[\d.:]+/v1", os.environ["LOCAL_BASE_URL"], w) for w in words]
    sizes = SMALL | MORE.get(page.name, {})
    words = [re.sub(r"^llm:openai/.*", "llm:openai-api/local/my-model", w) for w in words]
    for option, value in zip(*[iter(sizes.get(words[0], []))] * 2, strict=True):
        if option in words:
            words[words.index(option) + 1] = value
        else:
            words += [option, value]
    return words


@pytest.fixture(scope="module")
def server():
    endpoint = Endpoint()
    yield endpoint
    endpoint.stop()


def lay_out(folder):
    """Files that pages take for granted."""
    rng = random.Random(0)
    with open(folder / "trial.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["done", "drug", "age", "recovery"])
        for _ in range(120):
            drug = rng.choice("AB")
            rows.writerow(["drug", drug, rng.randint(20, 80), rng.gauss(3 + (drug == "B"), 1)])
    with open(folder / "mine.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["done", "dose", "heat", "yield"])
        for _ in range(80):
            dose, heat = rng.gauss(0, 1), rng.gauss(0, 1)
            rows.writerow(["dose", dose, heat, dose - heat + rng.gauss(0, 0.5)])
    with open(folder / "levers.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["episode", "step", "phase", "target", "value", "goal", "pressure", "yield"])
        for k in range(120):
            value = rng.choice([-2, 2])
            done = [k, 0, "exploit", "pressure", value, "yield"]
            rows.writerow([*done, value, 0.8 * value + rng.gauss(0, 1)])
    shutil.copy(folder / "mine.csv", folder / "measurements.csv")
    (folder / "graph.txt").write_text("drug -> recovery\nage -> recovery\n")
    shutil.copytree(ROOT / "examples", folder / "examples")


def pieces(page):
    """(language, text, folder) of Python, and of each command, in the order of the page."""
    for language, text in split(page)[0]:
        if language in PYTHON:
            yield "python", text, "."
        elif language in SHELL:
            into = re.search(r"^(?:\$ )?cd (\S+)$", text, re.MULTILINE)
            for line in typed(text):
                if not any(w in line for w in LEFT_OUT):
                    yield "seedo", line, into[1] if into else "."


WITH_PIECES = [page for page in PAGES if next(pieces(page), None)]


@pytest.mark.parametrize("page", WITH_PIECES, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_a_page_tells_can_be_done(page, tmp_path, monkeypatch, capsys, server):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCAL_API_KEY", "none")
    monkeypatch.setenv("LOCAL_BASE_URL", f"http://127.0.0.1:{server.port}/v1")
    lay_out(tmp_path)
    for line in NEEDED.get(page.name, []):
        told(f"seedo {line}", capsys, page)
    for kind, text, folder in pieces(page):
        with monkeypatch.context() as there:
            there.chdir(tmp_path / folder)
            there.syspath_prepend(tmp_path / folder)
            if kind == "seedo":
                told(text, capsys, page)
            else:
                done(text)


def told(line, capsys, page):
    line, into = re.fullmatch(
        r"(.*?)(?: > ([\w.]+))?", re.sub(r"\s#.*", "", line).rstrip()
    ).groups()
    words = shlex.split(line.partition(" && ")[0])[1:]
    if any(" ".join(words).startswith(begin) for begin in ELSEWHERE):
        return
    words = [
        w
        for word in words
        for w in (sorted(map(str, Path().glob(word))) if "*" in word else [word])
    ]
    if words[0] == "watch" and "--resume" not in words:  # pages show one job in several ways
        shutil.rmtree(words[words.index("--out") + 1], ignore_errors=True)
    code, out, err = run(capsys, *small(words, page))
    assert code == 0, f"{line}\n{err[-2000:]}"
    if into:
        Path(into).write_text(out)


def done(text):
    """Run a piece of Python."""
    before = next((own for begin, own in PRELUDE.items() if text.startswith(begin)), "")
    if before is None:
        return
    names = {}
    exec(before, names)
    exec(compile(text.replace("100_000", "24").replace("4096", "24"), "told", "exec"), names)


def test_what_is_run_elsewhere_is():
    for name in set(ELSEWHERE.values()):
        assert (ROOT / "tests" / f"{name}.py").is_file(), name
