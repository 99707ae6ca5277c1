"""Objects laid on a machine that goes or does not: histories of the blicket text game.

https://github.com/mandanasmi/blicket-text-game, active_explore/analysis/all_actions, one file a
person: lines such as "action 3: Placed Object 2 on machine," and "action 4: Test the machine ->
Nexiom machine is ON,".
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from seedo.errors import UserError
from seedo.people.files._trials import MACHINE, Trial

OBJECTS = 4
_LINE = re.compile(r"action \d+: (?:(Placed|Removed) Object (\d+) (?:on|from) machine"
                   r"|Test the machine -> Nexiom machine is (ON|OFF)),?")  # fmt: skip
_ENDING = "_action_history"


def read_blicket(file: Path) -> list[Trial]:
    """One person's tests: which objects lay on the machine, and whether it went. Their name is the
    file's. A history without a test gives nothing.

    Raises:
        UserError: the file cannot be read, or a line of it is none of these; names the line.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(str(file), None, f"cannot be read as text: {error}") from error
    laid, tests = np.zeros(OBJECTS, np.float32), []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"{file}: line {number}"
        match = _LINE.fullmatch(line.strip())
        if match is None:
            remedy = "give e.g. action 1: Placed Object 2 on machine,"
            raise UserError(place, line.strip()[:60], remedy)
        moved, thing, went = match.groups()
        if went:
            tests.append(np.r_[laid, float(went == "ON")])
            continue
        if not 1 <= int(thing) <= OBJECTS:
            raise UserError(place, f"Object {thing}", f"there are objects 1 to {OBJECTS}")
        now = float(moved == "Placed")
        if laid[int(thing) - 1] == now:
            where = "on the machine already" if now else "not on the machine"
            raise UserError(place, line.strip()[:60], f"object {thing} is {where}")
        laid[int(thing) - 1] = now
    if not tests:
        return []
    outcome = np.array(tests, np.float32)
    setting = outcome.copy()
    setting[:, -1] = np.nan
    names = (*(f"object {k + 1}" for k in range(OBJECTS)), "machine")
    return [Trial(file.stem.removesuffix(_ENDING), names, setting, outcome,
                  {"kind": MACHINE}, [{}] * len(outcome))]  # fmt: skip
