"""What the researcher sees of a study."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from seedo.errors import UserError
from seedo.lab._lab import Lab, Page, TheLab
from seedo.lab.study._config import StudyConfig
from seedo.lab.study._opening import keep_image, open_text, own_file, own_images
from seedo.lab.study._overview import overview
from seedo.lab.study._pilot import pilot
from seedo.lab.study._preregistration import preregistration
from seedo.lab.study._recruit import PLATFORMS
from seedo.lab.study._session import MaybeSession, Session, TheSession
from seedo.lab.study._summary import summary

EXAMPLE = FilePath(__file__).with_name("example.toml")
"""A study's file with a comment on every setting."""
EXAMPLES = {
    "dag": EXAMPLE,
    "blicket": EXAMPLE.with_name("example_blicket.toml"),
    "rooms": EXAMPLE.with_name("example_rooms.toml"),
}
"""By the kind of world."""


routes = APIRouter()


@routes.get("/study", include_in_schema=False)
def study(request: Request, lab: TheLab, page: Page, session: MaybeSession) -> Response:
    if session is None:
        return page("study_none.html", title="Study", written=EXAMPLE.read_text("utf-8"))
    address = invitation(lab, request, session)
    recruit = session.config.recruit
    private = lab.settings.loopback and lab.settings.public is None
    own = lab.settings.study is None
    return page(
        "study.html",
        title=f"Study: {session.config.title}",
        study=session.config,
        invitation=address,
        private=private,
        unguarded=recruit is None and not private,
        platform=recruit.platform if recruit else "open",
        others=session.config.spoken.offered[1:],
        written=own_file(lab).read_text("utf-8") if own else None,
        data={"invitation": address},
    )


class Written(BaseModel):
    """A study in TOML."""

    text: str = Field(max_length=400_000)


@routes.post("/api/study/check")
def check(lab: TheLab, written: Written) -> dict[str, Any]:
    """What a study amounts to, or what is wrong with it."""
    try:
        return {"lines": summary(_read(lab, written)).lines()}
    except UserError as error:
        return {"error": str(error), "field": error.field}


@routes.post("/api/study/pilot")
def try_out(lab: TheLab, written: Written) -> dict[str, Any]:
    """What scripted participants say of a study; nothing is stored."""
    found = pilot(_read(lab, written))
    return {"lines": found.lines(), **found.to_json()}


@routes.post("/api/study/preregistration")
def preregister(lab: TheLab, written: Written) -> dict[str, str]:
    """A preregistration in Markdown, as far as the design decides it."""
    config = _read(lab, written)
    return {"text": preregistration(config, pilot(config))}


@routes.post("/api/study/open")
def open_written(lab: TheLab, written: Written) -> dict[str, bool]:
    """Open a study to participants."""
    open_text(lab, written.text)
    return {"open": True}


@routes.put("/api/study/images/{name}")
async def keep(
    lab: TheLab, request: Request, name: Annotated[str, Path(max_length=120)]
) -> Response:
    """Keep a picture for a study that is written on the page; the body is its bytes."""
    keep_image(lab, name, await request.body())
    return Response(status_code=204)


def _read(lab: Lab, written: Written) -> StudyConfig:
    return StudyConfig.from_text(written.text).with_images(own_images(lab))


@routes.get("/study/example.toml", include_in_schema=False)
def example(kind: Annotated[str, Query(max_length=40)] = "dag") -> Response:
    if kind not in EXAMPLES:
        raise HTTPException(404, f"there is no example of this kind: {', '.join(EXAMPLES)}")
    path = EXAMPLES[kind]
    return FileResponse(path, media_type="application/toml", filename="study-example.toml")


@routes.get("/api/study")
def state(session: TheSession) -> dict[str, Any]:
    """How many participants are where, and each one's progress."""
    return overview(session)


@routes.delete("/api/study/participants/{participant}")
def delete(
    session: MaybeSession, participant: Annotated[int, Path(ge=1, lt=2**31)]
) -> dict[str, bool]:
    """Delete everything that is stored of a participant."""
    if session is None or not session.erase([participant]):
        raise HTTPException(404, "there is no such participant")
    return {"deleted": True}


class Chosen(BaseModel):
    """Participants, by the ids that the overview gives."""

    participants: list[Annotated[int, Field(ge=1, lt=2**31)]] = Field(max_length=1_000_000)


@routes.post("/api/study/delete")
def delete_many(session: TheSession, chosen: Chosen) -> dict[str, int]:
    """Delete everything that is stored of participants; how many there were."""
    return {"deleted": session.erase(chosen.participants)}


def invitation(lab: Lab, request: Request, session: Session) -> str:
    """The participants' link, as others can open it."""
    recruit = session.config.recruit
    query = PLATFORMS[recruit.platform].query if recruit else ""
    return f"{lab.address(request)}/take/{session.config.name}{query}"
