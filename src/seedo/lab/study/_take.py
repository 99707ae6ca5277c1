"""What participants can reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from seedo.lab._lab import Page
from seedo.lab._scenario import MOST_VARIABLES
from seedo.lab.study._session import MOST_ANSWER, Session
from seedo.lab.study._task import MOST_STEPS
from seedo.lab.study._words import Said

_MOST_ITEMS = 400
_DAY = 86_400_000  # milliseconds
_AT_ONCE = 8  # threads

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


class _Here(NamedTuple):
    """The study that an address names, and the browser that asks."""

    session: Session
    visitor: str

    async def answer(self, way: Callable[..., dict[str, Any]], *given: Any) -> Response:
        """What `way`, of `Session`, returns, worked out in one of few threads.

        More of them would only take the interpreter from one another.
        """
        told = await to_thread.run_sync(
            lambda: way(self.session, self.visitor, *given), limiter=_limiter()
        )
        return JSONResponse(told)


_LIMITER: RunVar[CapacityLimiter] = RunVar("limiter of a study")


def _limiter() -> CapacityLimiter:
    """The one of this event loop; loops cannot share one."""
    try:
        return _LIMITER.get()
    except LookupError:
        _LIMITER.set(CapacityLimiter(_AT_ONCE))
        return _LIMITER.get()


async def _here(request: Request, study: StudyName) -> _Here:
    session = request.app.state.lab.services.get(Session)
    if session is None or study != session.config.name:
        raise HTTPException(404, "there is no such study here: check that the link is whole")
    return _Here(session, request.state.visitor)


Here = Annotated[_Here, Depends(_here)]

routes = APIRouter()


@routes.get("/take/{study}", include_in_schema=False)
def take(request: Request, page: Page, here: Here) -> Response:
    # What the link says is looked at and not kept: nobody has agreed to anything yet.
    link = dict(request.query_params)
    session = here.session
    language = session.language(here.visitor, link.get("lang", ""))
    return _page(page, session, language, None, session.joining.refusal(link))


@routes.get("/take/{study}/resume/{token}", include_in_schema=False)
def take_again(page: Page, here: Here, token: Annotated[str, Path(max_length=64)]) -> Response:
    return _page(page, here.session, here.session.language(here.visitor), token)


@routes.get("/api/take/{study}/words/{language}")
def words(here: Here, language: Annotated[str, Path(max_length=40)]) -> dict[str, Any]:
    """Everything that the page says by itself, in one of the study's languages."""
    config = here.session.config
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
def image(here: Here, image: Annotated[str, Path(max_length=64)]) -> Response:
    for each in here.session.config.images:
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
async def view(here: Here) -> Response:
    """What this browser has to show next."""
    return await here.answer(Session.view)


@routes.post("/api/take/{study}/consent")
async def consent(request: Request, here: Here, given: Consent) -> Response:
    """Join; nothing is stored of anybody before."""
    if not given.agree:
        raise Said(409, "error-agree")
    address = request.client.host if request.client else None
    return await here.answer(Session.consent, given.link, address)


@routes.post("/api/take/{study}/ready")
async def ready(here: Here, left: Left | None = None) -> Response:
    """Leave the instructions."""
    return await here.answer(Session.ready, _spent(left))


@routes.post("/api/take/{study}/quiz")
async def quiz(here: Here, given: Try) -> Response:
    """A try at the questions about the instructions."""
    return await here.answer(Session.quiz, given.number, given.answers, _spent(given))


@routes.post("/api/take/{study}/ask")
async def ask(here: Here, given: ItemAnswers) -> Response:
    """The answers to questions before the tasks, or after one."""
    return await here.answer(Session.ask, given.item, given.answers, _spent(given))


@routes.post("/api/take/{study}/begin")
async def begin(here: Here, given: Beginning) -> Response:
    """Begin a task whose time is limited."""
    return await here.answer(Session.begin, given.item)


@routes.post("/api/take/{study}/step")
async def step(here: Here, given: Step) -> Response:
    """One choice in a task."""
    away = given.spent.away if given.spent else 0
    choice = given.item, given.step, given.target, given.value, given.milliseconds, away
    return await here.answer(Session.step, *choice)


@routes.post("/api/take/{study}/check")
async def check(here: Here, given: Choice) -> Response:
    """The answer to an attention check."""
    return await here.answer(Session.check, given.item, given.target, given.value, _spent(given))


@routes.post("/api/take/{study}/answers")
async def answers(here: Here, given: Answers) -> Response:
    """The answers to the questions at the end."""
    return await here.answer(Session.answer, given.answers, _spent(given))


@routes.post("/api/take/{study}/resume")
async def resume(here: Here, given: Resume) -> Response:
    """Go on in this browser with what was begun in another."""
    return await here.answer(Session.resume, given.token)


@routes.delete("/api/take/{study}")
async def withdraw(here: Here) -> Response:
    """Delete everything that is stored of whoever uses this browser."""
    return await here.answer(Session.withdraw)


def _spent(left: Left | None) -> tuple[int, int] | None:
    return (left.spent.milliseconds, left.spent.away) if left and left.spent else None
