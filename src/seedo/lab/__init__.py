"""The lab: watch, play and compare in a browser, on this machine."""

from seedo.lab._app import create_app
from seedo.lab._embedded import Embedded, embed
from seedo.lab._scenario import Drawn, Scenario, decode, encode
from seedo.lab._serve import serve
from seedo.lab._settings import LabSettings

__all__ = [
    "Drawn",
    "Embedded",
    "LabSettings",
    "Scenario",
    "create_app",
    "decode",
    "embed",
    "encode",
    "serve",
]
