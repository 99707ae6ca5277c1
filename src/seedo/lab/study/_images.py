"""Pictures of a study: files beside its TOML, looked at once and then served from memory."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image as Picture

from seedo.errors import UserError
from seedo.lab.study._fields import table, tables

TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
"""What is served, by what it is found to be; SVG may hold scripts and is not."""

MOST_BYTES = 1_000_000
_MOST_SIDE = 4096  # pixels
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Image:
    """A picture.

    Attributes:
        file: its name beside the study's file.
        sha256: of its bytes.
        kind: a value of `TYPES`.
        data: its bytes; b"" where only the study's settings are known.
    """

    file: str
    sha256: str
    kind: str
    data: bytes = field(default=b"", compare=False, repr=False)

    @property
    def id(self) -> str:
        """By which a page asks for it."""
        return self.sha256[:24]

    def to_json(self) -> dict[str, str]:
        """What `known_images` reads; without the bytes."""
        return {"file": self.file, "sha256": self.sha256, "kind": self.kind}


def known_images(value: object) -> tuple[Image, ...]:
    """Images as a study's settings keep them."""
    keys = ("file", "sha256", "kind")
    found: list[dict[str, Any]] = [table("images", each, keys) for each in tables("images", value)]
    return tuple(Image(str(e["file"]), str(e["sha256"]), str(e["kind"])) for e in found)


def image_name(what: str, value: object) -> str:
    """The name of an image's file, not yet looked for.

    Raises:
        UserError: it cannot be one.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        remedy = "name a file beside the study's: letters, digits, dots, - and _"
        raise UserError(what, str(value)[:40], remedy)
    return value


def read_image(what: str, folder: Path, name: str) -> Image:
    """Look at an image's file.

    Raises:
        UserError: it is not there, or nothing that is served.
    """
    try:
        with (folder / name).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        remedy = f"there is no such file to be read in {folder}: put it there"
        raise UserError(what, name, remedy) from error
    return look_at(what, name, data)


def look_at(what: str, name: str, data: bytes) -> Image:
    """What these bytes are.

    Raises:
        UserError: nothing that is served.
    """
    if len(data) > MOST_BYTES:
        raise UserError(what, name, f"larger than {MOST_BYTES:,} bytes: save it smaller")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Picture.open(io.BytesIO(data), formats=list(TYPES)) as picture:
                if max(picture.size) > _MOST_SIDE:
                    remedy = f"more than {_MOST_SIDE} pixels a side: save it smaller"
                    raise UserError(what, name, remedy)
                if getattr(picture, "n_frames", 1) > 1:
                    raise UserError(what, name, "it moves: use a picture that stands still")
                kind = TYPES[str(picture.format)]
                picture.load()
    except UserError:
        raise
    except Exception as error:  # Pillow raises many things on damaged files
        remedy = "no PNG, JPEG or WebP that can be read: save it as one of these"
        raise UserError(what, name, remedy) from error
    return Image(name, hashlib.sha256(data).hexdigest(), kind, data)
