"""Is this ready to be released? Builds sdist and wheel and tries both in fresh environments.

    python release/check.py      # `make release-check`

Version, changelog, CITATION.cff and tag must agree; each file must install from the lock alone, say
its version, play, and hold what it needs. The exit status is 1 if anything is amiss.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
NEEDED = (
    "seedo/pretrained/dag/",
    "seedo/lab/templates/base.html",
    "seedo/lab/static/",
    "seedo/reports/",
    "seedo/py.typed",
)
"""What must be in a wheel beside modules."""


def version() -> str:
    """The project's own."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def disagreements(own: str) -> list[str]:
    """Where another version stands than the project's."""
    found = []
    citation = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    if citation is None or citation[1] != own:
        found.append(f"CITATION.cff says {citation and citation[1]}, pyproject.toml {own}")
    changes = (ROOT / "CHANGELOG.md").read_text()
    if f"## [{own}]" not in changes and "## [Unreleased]" not in changes:
        found.append(f"CHANGELOG.md has no section [{own}]")
    tags = run("git", "-C", str(ROOT), "tag", "--points-at", "HEAD").split()
    if tags and f"v{own}" not in tags:
        found.append(f"this commit is tagged {', '.join(tags)}, not v{own}")
    if tags and f"## [{own}]" not in changes:
        found.append(f"a tagged version needs its section [{own}] in CHANGELOG.md")
    return found


def run(*words: str, cwd: Path | None = None) -> str:
    """What a program prints; ends everything where it fails."""
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def missing(wheel: Path, sdist: Path) -> list[str]:
    """What the built files lack."""
    names = zipfile.ZipFile(wheel).namelist()
    found = [
        f"{wheel.name} lacks {part}"
        for part in NEEDED
        if not any(n.startswith(part) for n in names)
    ]
    with tarfile.open(sdist) as opened:
        inside = {name.partition("/")[2] for name in opened.getnames()}
    files = ("LICENSE", "README.md", "CHANGELOG.md", "src/seedo/__init__.py", "tests/test_docs.py")
    return found + [f"{sdist.name} lacks {name}" for name in files if name not in inside]


def tried(file: Path, own: str, folder: Path) -> list[str]:
    """What goes wrong with a file in an environment of its own."""
    run(sys.executable, "-m", "venv", str(folder))
    python = str(folder / "bin" / "python")
    pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install")
    run(*pip, "-r", str(ROOT / "requirements.lock"))
    run(*pip, "--no-deps", "--no-build-isolation", str(file))
    found = []
    code = "import seedo; print(seedo.__version__, seedo.__file__)"
    told, place = run(python, "-c", code, cwd=folder).split()
    if told != own:
        found.append(f"{file.name}: import seedo says {told}, not {own}")
    if not place.startswith(str(folder)):
        found.append(f"{file.name}: another Seedo was imported, {place}")
    seedo = str(folder / "bin" / "seedo")
    for words in (
        ("watch", "--episodes", "40", "--out", "logs"),
        ("perform", "pretrained:dag", "--episodes", "20", "--out", "run"),
        ("inspect", "logs"),
    ):
        run(seedo, *words, cwd=folder)
    return found


def main() -> None:
    """Everything, one after the other."""
    own = version()
    found = disagreements(own)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"building {own}", flush=True)
        for target in ("sdist", "wheel"):
            run(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", name, cwd=ROOT)
        (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
        found += missing(wheel, sdist)
        for file in (wheel, sdist):
            print(f"trying {file.name} ({file.stat().st_size / 1e6:.1f} MB)", flush=True)
            found += tried(file, own, folder / f"from-{file.suffix[1:]}")
    for line in found:
        print(line, file=sys.stderr)
    print("amiss" if found else f"{own} is ready")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
