"""What the researcher sees of a study."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from seedo.lab._lab import Page, TheLab
from seedo.lab.study._session import MaybeSession, Session, TheSession
from seedo.lab.study._store import STATES

EXAMPLE = FilePath(__file__).with_name("example.toml")


routes = APIRouter()


@routes.get("/study", include_in_schema=False)
def study(request: Request, lab: TheLab, page: Page, session: MaybeSession) -> Response:
    if session is None:
        example = EXAMPLE.read_text("utf-8")
        return page("study_none.html", title="Study", example=example)
    address = (lab.settings.public or str(request.base_url)).rstrip("/")
    invitation = f"{address}/take/{session.config.name}"
    return page(
        "study.html",
        title=f"Study: {session.config.title}",
        study=session.config,
        invitation=invitation,
        private=lab.settings.loopback and lab.settings.public is None,
        data={"invitation": invitation},
    )


@routes.get("/study/example.toml", include_in_schema=False)
def example() -> Response:
    return FileResponse(EXAMPLE, media_type="application/toml", filename="study-example.toml")


@routes.get("/api/study")
def state(session: TheSession) -> dict[str, Any]:
    """How many participants are where, and each one's progress."""
    return overview(session)


@routes.delete("/api/study/participants/{participant}")
def delete(
    session: MaybeSession, participant: Annotated[int, Path(ge=1, lt=2**31)]
) -> dict[str, bool]:
    """Delete everything that is stored of a participant."""
    if session is None or not session.store.delete(participant):
        raise HTTPException(404, "there is no such participant")
    return {"deleted": True}


def overview(session: Session) -> dict[str, Any]:
    """Counts by condition and state, and a line for every participant."""
    config, store = session.config, session.store
    counts, progress = store.counts(), store.progress()
    choices = {label: config.scenario(label, 1, 0).config for label, _ in config.conditions()}
    return {
        "places": config.max_participants,
        "states": list(STATES),
        "conditions": [
            {"label": label, "counts": [counts.get((label, state), 0) for state in STATES]}
            for label in choices
        ],
        "participants": [
            {
                "id": p.id,
                "number": p.number,
                "condition": p.condition,
                "state": p.state,
                "done": progress.get(p.id, 0),
                "all": config.tasks * _choices(choices[p.condition]),
                "attention": p.attention_passed,
                "since": p.consented_at,
            }
            for p in store.participants()
        ],
    }


def _choices(config: Any) -> int:
    """Responses in one task."""
    return config.experiments + config.exploits
