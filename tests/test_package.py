"""The package as a stranger gets it: quick to import, versioned once, installable from anywhere."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import seedo

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# name==version, optionally followed by an environment marker: no address, option or path fits.
PIN = re.compile(r"[a-z0-9][a-z0-9.-]*==[0-9][\w.+!]*( ; [\w\s.'<>=!()]+)?")


def name_of(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found
    return found.group().lower().replace("_", "-")


def pins(lock: str) -> list[str]:
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_importing_the_package_takes_under_a_second_and_leaves_jax_alone() -> None:
    program = (
        "import sys, time; start = time.perf_counter(); import seedo; "
        "print(time.perf_counter() - start, 'jax' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, jax_loaded = run.stdout.split()
    assert jax_loaded == "False"
    assert float(seconds) < 1


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sorcery'"):
        _ = seedo.sorcery


def test_the_version_is_the_same_wherever_it_is_written() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert seedo.__version__ == PROJECT["project"]["version"]
    assert f"\nversion: {seedo.__version__}\n" in citation


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_holds_nothing_but_exact_versions(lock: str) -> None:
    assert [line for line in pins(lock) if not PIN.fullmatch(line)] == []
    assert "/" not in (ROOT / lock).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ["Makefile", ".ci/run", "pyproject.toml"])
def test_setting_up_names_no_place_to_download_from(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert re.findall(r"://|(?<!no-emit-)index-url|(?<!no-emit-)find-links", text) == []


def test_the_lock_files_cover_every_dependency() -> None:
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    runtime = [*project["dependencies"], *groups["build"]]
    extras = project["optional-dependencies"]
    development = [*runtime, *extras["data"], *extras["dev"]]
    for lock, wanted in zip(LOCKS, (runtime, development), strict=True):
        names = {name_of(requirement) for requirement in wanted} - {"seedo"}
        assert names - {name_of(pin) for pin in pins(lock)} == set()


def test_development_and_runtime_use_the_same_versions() -> None:
    """Under which conditions they are needed may differ."""
    runtime, development = (
        {pin.partition(";")[0].strip() for pin in pins(lock)}
        for lock in ("requirements.lock", "requirements-dev.lock")
    )
    assert runtime <= development


def test_no_package_reaches_into_the_private_modules_of_another():
    """What a module whose name begins with `_` holds is its package's own."""
    root = Path(seedo.__file__).parent
    reached = []
    for path in root.rglob("*.py"):
        place = path.relative_to(root).parts
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("seedo."):
                continue
            own, *rest = node.module.split(".")[1:]
            names = [own, *rest, *(alias.name for alias in node.names)]
            private = any(n.startswith("_") and not n.startswith("__") for n in names)
            if own != place[0] and private:
                reached.append(f"{'/'.join(place)}:{node.lineno} {node.module}")
    assert reached == []
