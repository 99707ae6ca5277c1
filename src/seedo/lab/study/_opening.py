"""Which study a lab has open: the one it was started with, or one set up on its page."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from seedo.episodes import write_atomic
from seedo.errors import UserError
from seedo.lab._background import Job
from seedo.lab._lab import Lab
from seedo.lab._security import private_folder
from seedo.lab.study._config import StudyConfig
from seedo.lab.study._images import image_name, look_at
from seedo.lab.study._joining import Joining
from seedo.lab.study._kinds import prepare
from seedo.lab.study._pay import PayList
from seedo.lab.study._session import Session
from seedo.lab.study._store import StudyStore

_MOST_IMAGES = 200


def open_study(lab: Lab) -> None:
    """Open the study of the lab's settings to participants, or else the one of its page.

    Raises:
        UserError: a study file or a database that cannot be used.
    """
    path = lab.settings.study or own_file(lab)
    if lab.settings.study is not None or path.is_file():
        own = None if lab.settings.study else own_images(lab)
        _open(lab, StudyConfig.load(path, own))


def open_text(lab: Lab, written: str) -> None:
    """Open the study that somebody has written on the page, now and at the next start.

    Raises:
        UserError: it cannot be used, has changed since there are participants, or the lab was
            started with another one.
    """
    if lab.settings.study is not None:
        remedy = "the lab was started with it: change the file, and start the lab again"
        raise UserError("study", str(lab.settings.study), remedy)
    config = StudyConfig.from_text(written).with_images(own_images(lab))
    old = lab.services.get(Session)
    _open(lab, config)
    write_atomic(own_file(lab), written.encode())
    if old is not None:
        old.store.engine.dispose()


def own_file(lab: Lab) -> Path:
    """Where the page's study is kept."""
    return lab.settings.data / "study.toml"


def own_images(lab: Lab) -> Path:
    """Where the pictures of the page's study are kept."""
    return lab.settings.data / "study-images"


def keep_image(lab: Lab, name: str, data: bytes) -> None:
    """Keep a picture for the page's study, in place of another of this name.

    Raises:
        UserError: it is nothing that is served, or there are too many.
    """
    image = look_at("image", image_name("image", name), data)
    folder = own_images(lab)
    private_folder(folder)
    if len({*folder.iterdir(), folder / name}) > _MOST_IMAGES:
        raise UserError("image", name, f"at most {_MOST_IMAGES} are kept: delete some in {folder}")
    write_atomic(folder / name, image.data)


def _open(lab: Lab, config: StudyConfig) -> None:
    store, pay = StudyStore.open(lab.settings, config), PayList(lab.settings.data, config.name)
    pay.keep_only(store.participants())
    proxied = lab.settings.public is not None
    session = Session(Joining(config, store, lab.keys, pay, proxied), lab.keys)
    lab.add(session)
    if lab.settings.warm:
        lab.background.start("warming up", partial(_warm, session))


def _warm(session: Session, job: Job) -> None:
    """Compile what the first participant of each condition needs."""
    for _, scenario in session.config.conditions():
        job.rest(0.0)
        prepare(scenario(0))
