"""The lab: watch, play and compare in a browser, on this machine."""

from understudy.lab._app import create_app
from understudy.lab._scenario import Drawn, Scenario, decode, encode
from understudy.lab._serve import serve
from understudy.lab._settings import LabSettings

__all__ = ["Drawn", "LabSettings", "Scenario", "create_app", "decode", "encode", "serve"]
