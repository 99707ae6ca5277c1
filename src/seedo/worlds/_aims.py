"""Goals as users write them in one line."""

from __future__ import annotations

from seedo.errors import UserError
from seedo.spaces import Goal, Goals


def read_goals(given: object, readings: tuple[str, ...]) -> Goals:
    """Goals as users write them: "yield" (to be raised), "minimize cost", "target 7 pH", a list of
    such, or a table as in a campaign's file.

    Raises:
        UserError: a goal cannot be read, or is of something that is no reading.
    """
    if isinstance(given, dict):
        goals = Goals.from_json(given)
    else:
        texts = [str(each) for each in given] if isinstance(given, list | tuple) else [str(given)]
        goals = Goals(tuple(_goal(text, readings) for text in texts))
    for name in goals.readings:
        if name not in readings:
            raise UserError("goals", name, f"use readings: {', '.join(readings)}")
    return goals


def _goal(text: str, readings: tuple[str, ...]) -> Goal:
    if text.strip() in readings:
        return Goal(text.strip())
    aim, _, rest = text.strip().partition(" ")
    if aim in ("maximize", "minimize"):
        return Goal(rest.strip(), aim)
    number, _, name = rest.strip().partition(" ")
    if aim == "target":
        try:
            return Goal(name.strip(), "target", float(number))
        except ValueError:
            pass
    remedy = f'write "maximize NAME", "minimize NAME" or "target 7 NAME", of {", ".join(readings)}'
    raise UserError("goals", text, remedy)
