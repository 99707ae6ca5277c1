"""HTML pages that need nothing else: how they are filled in and written."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from seedo.episodes import cannot_write, write_atomic


def page(template: str, filters: Mapping[str, Callable[..., Any]], **content: Any) -> str:
    """A template of this package, filled in; all text is escaped unless it is `Markup`."""
    environment = Environment(
        loader=PackageLoader("seedo.reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    return environment.get_template(template).render(**content)


def write_page(path: str | os.PathLike[str], text: str) -> None:
    """Writes a page, whole or not at all; makes its folder.

    Raises:
        UserError: it cannot be written.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(target.parent, error) from error
    write_atomic(target, text.encode())
