"""What the researcher downloads: the responses of a study, whom to pay, links to hand out."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from seedo.lab._lab import TheLab
from seedo.lab.study._export import Whose, export
from seedo.lab.study._pages import invitation
from seedo.lab.study._pay import bonus_table, due, one_time_links, pay_table
from seedo.lab.study._session import Session, TheSession

_IN_MEMORY = 1 << 24  # bytes; larger archives wait on the disk
_AT_ONCE = 1 << 16

Number = Annotated[int, Query(ge=1, le=10_000)]
First = Annotated[int, Query(ge=1, le=1_000_000)]

routes = APIRouter()


# Only the researcher can reach it: it is not under `/api/take/`.
@routes.get("/api/study/export", response_class=StreamingResponse)
def download(
    session: TheSession,
    practice: bool = False,
    only: Whose = "everybody",
    psych_ds: bool = False,
) -> StreamingResponse:
    """What `seedo lab export` writes, as a ZIP archive."""
    archive = _archive(session, practice, only, psych_ds)
    headers = _named(f"{session.config.name}.zip")
    return StreamingResponse(_parts(archive), media_type="application/zip", headers=headers)


@routes.get("/api/study/pay", response_class=Response)
def pay(session: TheSession) -> Response:
    """The pay list: people as their platform names them, codes, scores and bonuses; CSV."""
    listed = due(session.store, session.config, session.joining.pay)
    return _table(session, "pay", pay_table(listed))


@routes.get("/api/study/bonus", response_class=Response)
def bonus(session: TheSession) -> Response:
    """Person and amount of everybody with a bonus, one a line; CSV without a heading."""
    listed = due(session.store, session.config, session.joining.pay)
    return _table(session, "bonus", bonus_table(listed))


@routes.get("/api/study/links", response_class=Response)
def links(
    request: Request, lab: TheLab, session: TheSession, number: Number, first: First = 1
) -> Response:
    """One-time links number `first` and following; CSV."""
    address = invitation(lab, request, session).partition("?")[0]
    made = one_time_links(session.config, lab.keys, address, first, number)
    return _table(session, "links", made)


def _table(session: Session, kind: str, text: str) -> Response:
    headers = _named(f"{session.config.name}-{kind}.csv")
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _archive(session: Session, practice: bool, only: Whose, psych_ds: bool) -> IO[bytes]:
    packed: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / session.config.name
        export(session.store, session.config, out, practice, only=only, psych_ds=psych_ds)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(out.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(folder))
    packed.seek(0)
    return packed


def _parts(packed: IO[bytes]) -> Iterator[bytes]:
    with packed:
        while part := packed.read(_AT_ONCE):
            yield part
