"""Links from pages to files of the repository: examples come along, README is the start page."""

from __future__ import annotations

import re
from typing import Any

_EXAMPLE = re.compile(r"\((?:\.\./)+examples/([^)#]+)\)")
_DOCS = re.compile(r"\((?:\.\./)+docs/")
_README = re.compile(r"\((?:\.\./)+README\.md(#[^)]*)?\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """As MkDocs calls it for every page."""
    up = "../" * page.file.src_uri.count("/")
    markdown = _README.sub(f"({up}index.md)", markdown)
    markdown = _DOCS.sub(f"({up}", markdown)
    return _EXAMPLE.sub(
        lambda m: f"({up}examples/{m[1]}{'' if '.' in m[1] else '/README.md'})", markdown
    )
