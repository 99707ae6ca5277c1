"""The responses of a study as one file to download; for the researcher."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from seedo.lab.study._export import export
from seedo.lab.study._session import Session, TheSession

_IN_MEMORY = 1 << 24  # bytes; larger archives wait on the disk
_AT_ONCE = 1 << 16


routes = APIRouter()


# Only the researcher can reach it: it is not under `/api/take/`.
@routes.get("/api/study/export", response_class=StreamingResponse)
def download(session: TheSession, practice: bool = False) -> StreamingResponse:
    """What `seedo lab export` writes, as a ZIP archive."""
    name = session.config.name
    headers = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
    archive = _archive(session, practice)
    return StreamingResponse(_parts(archive), media_type="application/zip", headers=headers)


def _archive(session: Session, practice: bool) -> IO[bytes]:
    packed: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / session.config.name
        export(session.store, session.config, out, practice)
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
