"""What participants can reach."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from seedo.lab._lab import Lab
from seedo.lab._scenario import MOST_STEPS, MOST_VARIABLES
from seedo.lab.study._session import MOST_ANSWER, Session

_MOST_ITEMS = 200
_DAY = 86_400_000  # milliseconds

StudyName = Annotated[str, Path(max_length=64)]


class Consent(BaseModel):
    """Agreement to take part."""

    agree: bool


class Choice(BaseModel):
    """An intervention as the participant sees it; target -1: only look."""

    item: int = Field(ge=0, le=_MOST_ITEMS)
    target: int = Field(ge=-1, lt=MOST_VARIABLES)
    value: float = Field(default=0.0, ge=-1e9, le=1e9)


class Step(Choice):
    """A choice at a step of a task."""

    step: int = Field(ge=0, lt=MOST_STEPS)
    milliseconds: int = Field(ge=0, le=_DAY)


class Answers(BaseModel):
    """Answers by the question's id; an empty text is none."""

    answers: dict[
        Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=MOST_ANSWER)]
    ] = Field(max_length=200)


class Resume(BaseModel):
    """The secret of a link to resume with."""

    token: str = Field(min_length=1, max_length=64)


def take_router(lab: Lab, session: Session | None) -> APIRouter:
    """The pages and calls of `/take/` and `/api/take/`; all 404 without a study."""
    routes = APIRouter()

    def of(study: str) -> Session:
        if session is None or study != session.config.name:
            raise HTTPException(404, "there is no such study here: check that the link is whole")
        return session

    def page(request: Request, study: str, token: str | None) -> Response:
        config = of(study).config
        data = {
            "study": config.name,
            "consent": config.consent,
            "instructions": config.instructions,
            "token": token,
        }
        return lab.page(request, "take.html", title=config.title, data=data)

    @routes.get("/take/{study}", include_in_schema=False)
    def take(request: Request, study: StudyName) -> Response:
        return page(request, study, None)

    @routes.get("/take/{study}/resume/{token}", include_in_schema=False)
    def take_again(
        request: Request, study: StudyName, token: Annotated[str, Path(max_length=64)]
    ) -> Response:
        return page(request, study, token)

    @routes.get("/api/take/{study}")
    def view(request: Request, study: StudyName) -> dict[str, Any]:
        """What this browser has to show next."""
        return of(study).view(request.state.visitor)

    @routes.post("/api/take/{study}/consent")
    def consent(request: Request, study: StudyName, given: Consent) -> dict[str, Any]:
        """Join; nothing is stored of anybody before."""
        if not given.agree:
            raise HTTPException(409, "only who agrees can take part")
        return of(study).consent(request.state.visitor)

    @routes.post("/api/take/{study}/ready")
    def ready(request: Request, study: StudyName) -> dict[str, Any]:
        """Leave the instructions."""
        return of(study).ready(request.state.visitor)

    @routes.post("/api/take/{study}/step")
    def step(request: Request, study: StudyName, given: Step) -> dict[str, Any]:
        """One choice in a task."""
        return of(study).step(
            request.state.visitor,
            given.item,
            given.step,
            given.target,
            given.value,
            given.milliseconds,
        )

    @routes.post("/api/take/{study}/check")
    def check(request: Request, study: StudyName, given: Choice) -> dict[str, Any]:
        """The answer to an attention check."""
        return of(study).check(request.state.visitor, given.item, given.target, given.value)

    @routes.post("/api/take/{study}/answers")
    def answers(request: Request, study: StudyName, given: Answers) -> dict[str, Any]:
        """The answers to the questions at the end."""
        return of(study).answer(request.state.visitor, given.answers)

    @routes.post("/api/take/{study}/resume")
    def resume(request: Request, study: StudyName, given: Resume) -> dict[str, Any]:
        """Go on in this browser with what was begun in another."""
        return of(study).resume(request.state.visitor, given.token)

    @routes.delete("/api/take/{study}")
    def withdraw(request: Request, study: StudyName) -> dict[str, bool]:
        """Delete everything that is stored of whoever uses this browser."""
        return {"deleted": of(study).withdraw(request.state.visitor)}

    return routes
