"""An abstraction's folder, read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seedo.abstraction._abstract import Abstraction, Knob
from seedo.abstraction._commuting import Commuting
from seedo.errors import UserError
from seedo.statistics import Estimate
from seedo.worlds.raw import ABOUT, load_encoder

_UNKNOWN = {"value": None, "low": None, "high": None, "n": 0, "reason": "not measured then"}


def read_abstraction(folder: str | Path) -> tuple[Abstraction, dict[str, Any]]:
    """What was learnt, and all that `abstraction.json` says.

    Raises:
        UserError: no abstraction, or a damaged one.
    """
    path = Path(folder)
    encoder, about = load_encoder(path)
    try:
        knobs = tuple(
            Knob(
                one["name"], one["steps"], _estimate(one["error"]), _estimate(one["relative"]),
                tuple(one["sets"]), tuple(one["like"]), one["shown"],
            )
            for one in about["knobs"]
        )  # fmt: skip
        told = about["commuting"]
        commuting = told and Commuting(
            _estimate(told["error"]), _estimate(told.get("within", _UNKNOWN)),
            _estimate(told.get("beyond", _UNKNOWN)), told["correlation"],
            _estimate(told["picture"]), told["noise"], told["contrast"],
        )  # fmt: skip
        found = Abstraction(
            path, encoder, knobs, tuple(about["unset"]), about["further"], about["unexplained"],
            commuting,
        )  # fmt: skip
    except (KeyError, TypeError) as error:
        raise UserError(
            str(path / ABOUT), None, "is not as it was written: abstract again"
        ) from error
    return found, about


def learnt_from(about: dict[str, Any]) -> str:
    """What an abstraction was learnt from, in words.

    Args:
        about: of `read_abstraction`.
    """
    shows, recipe = about.get("shows"), about.get("recipe") or {}
    if "files" in about:
        of = f"tables ({', '.join(about['files'])}), columns {', '.join(about['raw'])}"
    else:
        of = f"logs of world {about.get('world')}"
    if shows:
        of += f" ({', '.join(f'{name}={value}' for name, value in shows.items())})"
    steps = f"{recipe['steps']:,} steps of " if "steps" in recipe else ""
    ends = about.get("set")
    set_to = f"; knobs were set from {ends[0]:g} to {ends[1]:g}" if ends else ""
    return f"{steps}{of}{set_to}"


def _estimate(told: dict[str, Any]) -> Estimate:
    return Estimate(told["value"], told["low"], told["high"], told["n"], told.get("reason", ""))
