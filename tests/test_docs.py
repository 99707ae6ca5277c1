"""What the documentation tells people to type is what the command line and Python take."""

from __future__ import annotations

import ast
import itertools
import re
import shlex
from pathlib import Path

import griffe
import pytest
import typer
from typer.main import get_command

from seedo.cli import app
from told import LEFT_OUT, NOTEBOOKS, PAGES, PYTHON, ROOT, SHELL, blocks, cells, split, typed

ENDS = (">", ">>", "|", "&", "&&", ";")
SEEDO = get_command(app)
UsageError = typer.BadParameter.__mro__[2]  # of whichever parser Typer brings


def all_typed():
    for page in PAGES:
        for text in blocks(page, *SHELL):
            yield from ((page, line) for line in typed(text))
    for notebook in NOTEBOOKS:
        for text in cells(notebook):
            if text.startswith("%%sh"):
                yield from ((notebook, line) for line in typed(text))


def wrong(line):
    """Why a line is no command; None: it is one. Nothing is run."""
    try:
        words = shlex.split(line, comments=True)[1:]
    except ValueError as error:
        return str(error)
    words = list(itertools.takewhile(lambda word: word not in ENDS, words))
    if not words or words[0].startswith("-"):
        return None
    command = SEEDO.get_command(None, words[0])
    if command is None:
        return f"no command {words[0]}"
    if hasattr(command, "commands"):  # a group of its own
        return None
    try:
        command.make_context(words[0], words[1:])
    except UsageError as error:
        return error.format_message()
    return None


def test_every_command_that_is_told_can_be_typed():
    told = [(page, line) for page, line in all_typed() if not any(w in line for w in LEFT_OUT)]
    assert len(told) > 100
    found = [
        f"{page.relative_to(ROOT)}: {line}: {why}" for page, line in told if (why := wrong(line))
    ]
    assert found == []


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=lambda p: p.name)
def test_python_in_the_documentation_is_python_and_imports_what_there_is(page):
    texts = cells(page) if page.suffix == ".ipynb" else blocks(page, *PYTHON)
    for text in texts:
        if text.startswith("%%"):
            continue
        for node in ast.walk(ast.parse(text.replace("...)", ")"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("seedo"):
                module = __import__(node.module, fromlist=["*"])
                for name in node.names:
                    assert has(module, name.name), f"{node.module}.{name.name}"


def has(module, name):
    """Whether a package exports a name or has such a module."""
    try:
        getattr(module, name)
    except AttributeError:
        folder = Path(module.__file__).parent
        return (folder / name).is_dir() or (folder / f"{name}.py").is_file()
    return True


def test_links_between_pages_lead_somewhere():
    found = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", split(page)[1]):
            made = target.startswith(("http", "reference/", "results.md"))
            if not made and not (page.parent / target).exists():
                found.append(f"{page.relative_to(ROOT)}: {target}")
    assert found == []


def test_the_python_of_the_first_page_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (text,) = blocks(ROOT / "README.md", "python")
    exec(compile(text.replace("4096", "64"), "README.md", "exec"), {})
    assert "'return_ratio'" in capsys.readouterr().out


def test_every_name_that_a_package_exports_is_documented():
    package = griffe.load("seedo", search_paths=[ROOT / "src"])
    found = {"documented": 0}
    bare = []

    def look(module):
        for name in module.exports or ():
            told = module[name]
            told = told.final_target if told.is_alias else told
            if told.is_module or told.docstring:
                found["documented"] += 1
            else:
                bare.append(f"{module.path}.{name}")
        for inner in module.modules.values():
            if inner.is_init_module and not inner.is_alias:
                look(inner)

    look(package)
    assert bare == []
    assert found["documented"] > 1000
