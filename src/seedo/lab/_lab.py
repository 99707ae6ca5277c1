"""What all pages of one lab share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import HTMLResponse

from seedo import __version__
from seedo.lab._security import Keys
from seedo.lab._settings import LabSettings

HERE = Path(__file__).parent

PAGES = (
    ("/", "Start"),
    ("/build", "Build"),
    ("/play", "Play"),
    ("/watch", "Watch"),
    ("/compare", "Compare"),
    ("/look", "Look back"),
    ("/study", "Study"),
)


def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@dataclass
class Lab:
    """One running lab.

    Attributes:
        settings: as started.
        keys: what it signs with.
        engine: the lab's own database, in `settings.data`.
    """

    settings: LabSettings
    keys: Keys
    engine: Engine
    _pages: jinja2.Environment = field(default_factory=_templates)

    def page(
        self, request: Request, template: str, status: int = 200, **context: Any
    ) -> HTMLResponse:
        """A page of `templates/`; `data` in the context reaches the page's script as JSON."""
        shown = self._pages.get_template(template).render(
            pages=PAGES,
            path=request.url.path,
            csrf=request.state.csrf,
            version=__version__,
            data=context.pop("data", {}),
            **context,
        )
        return HTMLResponse(shown, status)
