"""Responses that a lab has kept, for commands that work on them without a lab."""

from __future__ import annotations

from pathlib import Path

from seedo.errors import UserError
from seedo.lab._security import Keys
from seedo.lab._store import open_database
from seedo.lab.study._config import StudyConfig
from seedo.lab.study._pay import PayList
from seedo.lab.study._store import STUDY_METADATA, StudyStore


def kept(
    file: str | Path, data: Path = Path("lab"), database: str | None = None
) -> tuple[StudyStore, StudyConfig]:
    """The responses to a study, and the study as it was when they were given.

    Args:
        file: the study's; only its name counts.
        data: the lab's folder.
        database: the lab's URL, if it had one.

    Raises:
        UserError: a file that is no study's, a database that cannot be used or does not know it.
    """
    name = StudyConfig.settings(file).name
    place: str | Path = database or data / f"study-{name}.sqlite"
    if isinstance(place, Path) and not place.is_file():
        remedy = "no responses there: give the --data or --database that the lab has"
        raise UserError("data", str(place), remedy)
    store = StudyStore(open_database(place, STUDY_METADATA), name)
    return store, store.config()


def kept_pay(file: str | Path, data: Path = Path("lab")) -> PayList:
    """The pay list of a study.

    Args:
        file: the study's; only its name counts.
        data: the lab's folder.

    Raises:
        UserError: a file that is no study's, or there is no such lab.
    """
    _need_folder(data)
    return PayList(data, StudyConfig.settings(file).name)


def kept_keys(data: Path = Path("lab")) -> Keys:
    """What a lab signs links with.

    Raises:
        UserError: there is no such lab.
    """
    _need_folder(data)
    return Keys(data)


def _need_folder(data: Path) -> None:
    if not data.is_dir():
        remedy = "no lab there: give the --data that the lab has, after its first start"
        raise UserError("data", str(data), remedy)
