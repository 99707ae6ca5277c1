"""What all pages of one lab share, and how a handler asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import jinja2
from fastapi import Depends
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from seedo import __version__
from seedo.lab._addresses import bracketed, is_this_machine, reachable
from seedo.lab._background import Background
from seedo.lab._cast import Role
from seedo.lab._scenario import Scenario
from seedo.lab._security import Keys
from seedo.lab._settings import LabSettings
from seedo.lab._worlds import shown_as

HERE = Path(__file__).parent

PAGES = (
    ("/", "Start"),
    ("/build", "Build"),
    ("/play", "Play"),
    ("/watch", "Watch"),
    ("/compare", "Compare"),
    ("/look", "Look back"),
    ("/data", "Data"),
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
        background: where it works while nobody waits.
        services: what its parts keep, by type; see `service`.
    """

    settings: LabSettings
    keys: Keys
    engine: Engine
    background: Background = field(default_factory=Background)
    services: dict[type, Any] = field(default_factory=dict)
    _pages: jinja2.Environment = field(default_factory=_templates)

    def add(self, *services: Any) -> None:
        """Keep these for whoever asks for their type."""
        self.services |= {type(each): each for each in services}

    def cast(self, scenario: Scenario) -> list[Role]:
        """Everyone who may act, those included whom the lab was started with."""
        return shown_as(scenario.world).cast(scenario, self.settings.agents, self.settings.speakers)

    def address(self, request: Request) -> str:
        """Where others find this lab, without a slash at the end; this machine's own name where
        they cannot."""
        address, host = self.settings.public or str(request.base_url), request.url.hostname or ""
        if self.settings.public is None and self.settings.everywhere and is_this_machine(host):
            address = str(request.base_url.replace(hostname=bracketed(reachable())))
        return address.rstrip("/")

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


# Coroutines, so that nobody waits for a thread to look something up.
async def _lab(request: Request) -> Lab:
    lab: Lab = request.app.state.lab
    return lab


async def _visitor(request: Request) -> str:
    return str(request.state.visitor)


async def _page(request: Request) -> Callable[..., Response]:
    return partial(request.app.state.lab.page, request)


def service(kind: type) -> Any:
    """The lab's own service of a type, for a handler; None if it has none."""

    async def find(request: Request) -> Any:
        return request.app.state.lab.services.get(kind)

    return Depends(find)


TheLab = Annotated[Lab, Depends(_lab)]
Visitor = Annotated[str, Depends(_visitor)]
"""The browser's random name."""

Page = Annotated[Callable[..., Response], Depends(_page)]
"""`Lab.page` for this request."""
