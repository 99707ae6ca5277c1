"""Benchmarks still run: every name that they take from the package is there, and so is what
they do."""

import ast
import importlib
import inspect
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
FILES = sorted(FOLDER.glob("[!_]*.py"))
HELPERS = sorted(FOLDER.glob("_[!_]*.py"))
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def by_name(paths, **marks):
    return [pytest.param(path, id=path.stem, marks=marks.get(path.stem, ())) for path in paths]


@pytest.mark.parametrize("path", by_name(FILES + HELPERS))
def test_every_name_that_a_benchmark_uses_is_there(path, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    try:
        script = loaded(path, monkeypatch)
    except ModuleNotFoundError as error:
        if error.name.partition(".")[0] in ("seedo", *(each.stem for each in HELPERS)):
            raise
        pytest.skip(f"needs {error.name}")
    assert missing(path.read_text(), vars(script)) == []


def test_a_name_that_is_gone_is_noticed():
    from seedo import play

    text = "def f():\n    from seedo.play import watch, gone\n    play.lost(play.watch.__name__)"
    assert missing(text, {"play": play}) == ["seedo.play.gone", "seedo.play.lost"]


def loaded(path, monkeypatch):
    """The script as a module; its `main` is not run."""
    spec = spec_from_file_location(f"benchmark_{path.stem}", path)
    script = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, script)  # where dataclasses look
    spec.loader.exec_module(script)
    return script


def missing(text, names):
    """What is taken from the package, in functions too, and is not there.

    That is what `from seedo... import` asks for, and attributes of the package's modules that are
    among the script's `names`.
    """
    asked = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] == "seedo":
            asked |= {(node.module, alias.name) for alias in node.names}
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = names.get(node.value.id)
            if inspect.ismodule(owner) and owner.__name__.partition(".")[0] == "seedo":
                asked.add((owner.__name__, node.attr))
    return sorted(f"{module}.{name}" for module, name in asked if not there(module, name))


def there(module, name):
    if hasattr(importlib.import_module(module), name):
        return True
    return find_spec(f"{module}.{name}") is not None


browser = pytest.mark.skipif(
    not any(map(shutil.which, BROWSERS)) and not os.environ.get("SEEDO_NEED_BROWSER"),
    reason="no Chromium on the PATH",
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", by_name(FILES, lab_pages=browser, lab_step=browser, lab_cold=browser)
)
def test_a_benchmark_runs_with_tiny_sizes(path, tmp_path):
    words = [sys.executable, str(path), "--quick"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    last = done.stdout.splitlines()[-1]
    assert "last line is JSON" not in " ".join(path.read_text().split()) or json.loads(last)
    assert list(tmp_path.iterdir()) == []
