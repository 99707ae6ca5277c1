"""Pages that are made when the site is built: the reference of names and of commands, the results.

Run by mkdocs-gen-files. Names are those that packages export (`__all__`); commands come from the
command line itself; results from the files of studies in docs/results.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path

import mkdocs_gen_files

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "seedo"
PACKAGES = {
    "worlds": "systems to experiment on",
    "experimenters": "who experiments",
    "play": "letting them, and what is recorded",
    "episodes": "the log format, written and read",
    "learning": "learning from logs",
    "language": "players made of words",
    "people": "published choices of people, and what people choose by",
    "inference": "what logs and tables say of causes",
    "tables": "reading the user's own tables",
    "spaces": "settings and goals",
    "abstraction": "variables from raw data, and looking inside networks",
    "evaluation": "measuring runs",
    "statistics": "estimates with intervals",
    "reports": "tables, figures, pages",
    "studies": "claims, tested",
    "execution": "work in other processes",
    "recipes": "settings of learning",
    "lab": "the lab in a browser",
    "storage": "folders here and in object stores",
    "errors": "what is said to users",
}


def exported(package: str) -> list[str]:
    """Public names of a package, as it lists them."""
    place = SOURCE.joinpath(*package.split("."))
    file = place / "__init__.py"
    if not file.is_file():
        tree = ast.parse(place.with_suffix(".py").read_text())
        kinds = (ast.ClassDef, ast.FunctionDef)
        return [n.name for n in tree.body if isinstance(n, kinds) and n.name[0] != "_"]
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def children(package: str) -> list[str]:
    """Packages within a package that export names, as `package.child`."""
    folder = SOURCE.joinpath(*package.split("."))
    inner = sorted(p.parent.name for p in folder.glob("*/__init__.py") if p.parent.name[0] != "_")
    found = []
    for name in (f"{package}.{child}" for child in inner):
        if exported(name):
            found.append(name)
        found += children(name)
    return found


def write_names() -> None:
    """A page for every package, and one that lists them."""
    lines = ["# Reference", "", "Every public name, from its docstring.", ""]
    for package, what in PACKAGES.items():
        told: set[str] = set()
        with mkdocs_gen_files.open(f"reference/{package}.md", "w") as page:
            page.write(f"# `seedo.{package}`\n\n{what.capitalize()}.\n\n")
            for part in (package, *children(package)):
                # What the package itself exports is told there.
                names = [name for name in exported(part) if name not in told]
                told |= set(names)
                if part != package and names:
                    page.write(f"# `seedo.{part}`\n\n")
                for name in names:
                    page.write(
                        f"## `{name}` {{ #{part}-{name} }}\n\n::: seedo.{part}.{name}\n"
                        "    options:\n      show_root_heading: false\n\n"
                    )
        lines.append(f"- [`seedo.{package}`]({package}.md): {what} ({len(told)} names)")
    lines.append("- [Commands](commands.md)")
    with mkdocs_gen_files.open("reference/index.md", "w") as page:
        page.write("\n".join(lines) + "\n")


def write_commands() -> None:
    """A page of every command with its arguments and options."""
    from typer.main import get_command

    from seedo.cli import app

    root = get_command(app)
    with mkdocs_gen_files.open("reference/commands.md", "w") as page:
        page.write("# Commands\n\n`seedo COMMAND --help` says the same in a terminal.\n")
        for name in sorted(root.commands):  # type: ignore[attr-defined]
            command = root.get_command(None, name)  # type: ignore[attr-defined]
            page.write(f"\n## `seedo {name}`\n\n{command.help or ''}\n\n")
            page.write("| argument or option | |\n|---|---|\n")
            for parameter in command.params:
                written = ", ".join(f"`{o}`" for o in parameter.opts + parameter.secondary_opts)
                help_text = (getattr(parameter, "help", None) or "").replace("|", "\\|")
                if parameter.name != "help":
                    page.write(f"| {written} | {help_text} |\n")


def write_results() -> None:
    """A page of what studies found, from `study.json` files and nothing else."""
    with mkdocs_gen_files.open("results.md", "w") as page:
        page.write(
            "# Results\n\nEvery study that was kept, as its file says: the claim, what would have "
            "refuted it, and the verdict. Scale `quick` is for a first look (one seed, few "
            "episodes), `medium` has several seeds, `full` is what the claim rests on.\n"
        )
        for file in sorted((ROOT / "docs" / "results").glob("*.json")):
            found = json.loads(file.read_text())
            if not isinstance(found, dict) or not {"claim", "verdict", "scale"} <= set(found):
                continue
            name = found.get("study", file.stem)
            page.write(f"\n## {name}, scale {found['scale']}\n\n")
            page.write(f"**Claim.** {found['claim']}\n\n")
            if "refuted_if" in found:
                page.write(f"**Refuted if** {found['refuted_if']}\n\n")
            verdict = "".join(f"- {line}\n" for line in found["verdict"].splitlines() if line)
            page.write(f"{verdict}\nFrom `docs/results/{file.name}`.\n")


def copy_examples() -> None:
    """The files that pages link to."""
    for file in sorted((ROOT / "examples").rglob("*")):
        if file.is_file() and file.suffix in (".py", ".md", ".toml", ".json", ".csv"):
            with mkdocs_gen_files.open(
                f"examples/{file.relative_to(ROOT / 'examples')}", "w"
            ) as to:
                to.write(file.read_text())


write_names()
write_commands()
write_results()
copy_examples()
