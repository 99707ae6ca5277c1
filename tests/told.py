"""What the documentation tells people to type."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOTEBOOKS = sorted((ROOT / "docs" / "tutorials").glob("*.ipynb"))
LEFT_OUT = ("...", "…")  # not to be typed as it stands
SHELL = ("sh", "bash", "console", "")
PYTHON = ("python", "py")


def split(page):
    """Fenced blocks of a page, (language, text), and its text without them."""
    found, rest, language, own = [], [], None, []
    for line in page.read_text(encoding="utf-8").splitlines():
        fence = line.strip().startswith("```")
        if fence and language is None:
            language, own = line.strip().lstrip("`").strip(), []
        elif fence:
            found.append((language, "\n".join(own)))
            language = None
        else:
            (rest if language is None else own).append(line)
    return found, "\n".join(rest)


def blocks(page, *languages):
    return (text for language, text in split(page)[0] if language in languages)


def cells(notebook):
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            yield "".join(cell["source"])


def typed(text):
    """Commands of Seedo in a block for a shell."""
    text = text.replace("\\\n", " ")
    for line in text.splitlines():
        line = re.sub(r"^\s*\$ ", "", line).strip()
        line = re.sub(r"^(?:[A-Z_]+=\S* +|srun (?:-\S+ \S+ )*|nice )+", "", line)
        if line.startswith("seedo "):
            yield line
