"""Every benchmark runs, with tiny sizes: its last line is JSON. Its figures are not looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"


@pytest.mark.parametrize(
    "script", ["training.py", pytest.param("dag_ppo.py", marks=pytest.mark.slow)]
)
def test_a_benchmark_runs(script):
    run = subprocess.run(
        [sys.executable, FOLDER / script, "--quick"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout.splitlines()[-1])
    assert report["benchmark"] == script.removesuffix(".py")
    assert report["results"]
