"""What participants can reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from seedo.lab._lab import Page, Visitor
from seedo.lab._scenario import MOST_VARIABLES
from seedo.lab.study._session import MOST_ANSWER, MaybeSession, Session
from seedo.lab.study._task import MOST_STEPS
from seedo.lab.study._words import Said

_MOST_ITEMS = 400
_DAY = 86_400_000  # milliseconds

StudyName = Annotated[str, Path(max_length=64)]


class Consent(BaseModel):
    """Agreement to take part; `link`: the parameters of the address that was opened."""

    agree: bool
    link: dict[
        Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=2000)]
    ] = Field(default={}, max_length=30)  # fmt: skip


class Spent(BaseModel):
    """Time on a page, and of it while another window had the focus, in milliseconds."""

    milliseconds: int = Field(ge=0, le=_DAY)
    away: int = Field(ge=0, le=_DAY)


class Left(BaseModel):
    """A page that is left."""

    spent: Spent | None = None


class Choice(Left):
    """An intervention as the participant sees it; target -1: only look."""

    item: int = Field(ge=0, le=_MOST_ITEMS)
    target: int = Field(ge=-1, lt=MOST_VARIABLES)
    value: float = Field(default=0.0, ge=-1e9, le=1e9)


class Beginning(BaseModel):
    """A task that somebody is ready for."""

    item: int = Field(ge=0, le=_MOST_ITEMS)


class Step(Choice):
    """A choice at a step of a task."""

    step: int = Field(ge=0, lt=MOST_STEPS)
    milliseconds: int = Field(ge=0, le=_DAY)


class Answers(Left):
    """Answers by the question's id; an empty text is none."""

    answers: dict[
        Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=MOST_ANSWER)]
    ] = Field(max_length=200)


class ItemAnswers(Answers):
    """Answers to the questions of an item."""

    item: int = Field(ge=0, le=_MOST_ITEMS)


class Try(Answers):
    """Answers to the questions about the instructions."""

    number: int = Field(ge=1, le=100)


class Resume(BaseModel):
    """The secret of a link to resume with."""

    token: str = Field(min_length=1, max_length=64)


async def _study(session: MaybeSession, study: StudyName) -> Session:
    if session is None or study != session.config.name:
        raise HTTPException(404, "there is no such study here: check that the link is whole")
    return session


Study = Annotated[Session, Depends(_study)]

routes = APIRouter()


@routes.get("/take/{study}", include_in_schema=False)
def take(request: Request, page: Page, visitor: Visitor, session: Study) -> Response:
    # What the link says is looked at and not kept: nobody has agreed to anything yet.
    link = dict(request.query_params)
    language = session.language(visitor, link.get("lang", ""))
    return _page(page, session, language, None, session.joining.refusal(link))


@routes.get("/take/{study}/resume/{token}", include_in_schema=False)
def take_again(
    page: Page, visitor: Visitor, session: Study, token: Annotated[str, Path(max_length=64)]
) -> Response:
    return _page(page, session, session.language(visitor), token)


@routes.get("/api/take/{study}/words/{language}")
def words(session: Study, language: Annotated[str, Path(max_length=40)]) -> dict[str, Any]:
    """Everything that the page says by itself, in one of the study's languages."""
    config = session.config
    if language not in config.languages:
        raise HTTPException(404, "the study is not in this language")
    return {
        "language": language,
        "title": config.told("title", language),
        "consent": config.told("consent-text", language),
        "instructions": config.told("instructions-text", language),
        "words": config.spoken.words(language),
    }


# What a wording shows is for whoever takes part; which condition shows it is not said.
@routes.get("/take/{study}/image/{image}", include_in_schema=False)
def image(session: Study, image: Annotated[str, Path(max_length=64)]) -> Response:
    for each in session.config.images:
        if each.id == image and each.data:
            headers = {"Cache-Control": "private, max-age=86400, immutable"}
            return Response(each.data, media_type=each.kind, headers=headers)
    raise HTTPException(404, "there is no such image")


def _page(
    page: Callable[..., Response],
    session: Session,
    language: str,
    token: str | None,
    refusal: str | None = None,
) -> Response:
    config = session.config
    said = config.spoken.words(language)
    data = {
        "study": config.name,
        "language": language,
        "token": token,
        "refusal": refusal and said[refusal],
    }
    title = config.told("title", language)
    return page("take.html", title=title, language=language, words=said, data=data)


@routes.get("/api/take/{study}")
def view(visitor: Visitor, session: Study) -> dict[str, Any]:
    """What this browser has to show next."""
    return session.view(visitor)


@routes.post("/api/take/{study}/consent")
def consent(request: Request, visitor: Visitor, session: Study, given: Consent) -> dict[str, Any]:
    """Join; nothing is stored of anybody before."""
    if not given.agree:
        raise Said(409, "error-agree")
    address = request.client.host if request.client else None
    return session.consent(visitor, given.link, address)


@routes.post("/api/take/{study}/ready")
def ready(visitor: Visitor, session: Study, left: Left | None = None) -> dict[str, Any]:
    """Leave the instructions."""
    return session.ready(visitor, _spent(left))


@routes.post("/api/take/{study}/quiz")
def quiz(visitor: Visitor, session: Study, given: Try) -> dict[str, Any]:
    """A try at the questions about the instructions."""
    return session.quiz(visitor, given.number, given.answers, _spent(given))


@routes.post("/api/take/{study}/ask")
def ask(visitor: Visitor, session: Study, given: ItemAnswers) -> dict[str, Any]:
    """The answers to questions before the tasks, or after one."""
    return session.ask(visitor, given.item, given.answers, _spent(given))


@routes.post("/api/take/{study}/begin")
def begin(visitor: Visitor, session: Study, given: Beginning) -> dict[str, Any]:
    """Begin a task whose time is limited."""
    return session.begin(visitor, given.item)


@routes.post("/api/take/{study}/step")
def step(visitor: Visitor, session: Study, given: Step) -> dict[str, Any]:
    """One choice in a task."""
    away = given.spent.away if given.spent else 0
    return session.step(
        visitor, given.item, given.step, given.target, given.value, given.milliseconds, away
    )


@routes.post("/api/take/{study}/check")
def check(visitor: Visitor, session: Study, given: Choice) -> dict[str, Any]:
    """The answer to an attention check."""
    return session.check(visitor, given.item, given.target, given.value, _spent(given))


@routes.post("/api/take/{study}/answers")
def answers(visitor: Visitor, session: Study, given: Answers) -> dict[str, Any]:
    """The answers to the questions at the end."""
    return session.answer(visitor, given.answers, _spent(given))


@routes.post("/api/take/{study}/resume")
def resume(visitor: Visitor, session: Study, given: Resume) -> dict[str, Any]:
    """Go on in this browser with what was begun in another."""
    return session.resume(visitor, given.token)


@routes.delete("/api/take/{study}")
def withdraw(visitor: Visitor, session: Study) -> dict[str, bool]:
    """Delete everything that is stored of whoever uses this browser."""
    return {"deleted": session.withdraw(visitor)}


def _spent(left: Left | None) -> tuple[int, int] | None:
    return (left.spent.milliseconds, left.spent.away) if left and left.spent else None
