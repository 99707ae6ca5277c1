"""Episodes that a limit of Inspect's cuts short: why, and how they end all the same.

A player that is stopped does nothing any more. So what is left of its episode passes with nothing
done, as a step does after too many malformed replies, and the score is what that earns.
"""

from __future__ import annotations

from typing import Any

from anyio import get_cancelled_exc_class
from inspect_ai.util import LimitExceededError

from seedo.language.scenes import Scene

CUT = "cut"
"""Key of sample metadata: why the sample was cut short; "": it was not."""


def why_cut(error: BaseException) -> str:
    """What ended a sample, in words that follow "cut short by"."""
    if isinstance(error, LimitExceededError):
        most = "" if error.limit is None else f" of {error.limit:g}"
        return f"the {error.type} limit{most}"
    if isinstance(error, get_cancelled_exc_class()):
        return "the time limit"  # Inspect cancels what takes too long
    return f"an error ({type(error).__name__})"


def end(scene: Scene, why: str) -> dict[str, Any]:
    """Brings a scene to its end, if it can be.

    Args:
        scene: as it was left. A world that is measured is not gone on with: that would act on it.
        why: see `why_cut`.

    Returns:
        for the sample's metadata: `cut`, and `end`, the numbers that are scored (None: there are
        none).
    """
    cut = "" if scene.finished else why or "the end of the evaluation"
    if cut and not scene.world.host:
        scene.pass_the_rest()
    references = {
        "return": scene.returns,
        "oracle_return": scene.oracle_return,
        "random_return": scene.random_return,
    }
    told = {
        "malformed": len(scene.malformed),
        "passed": len(scene.passed),
        "replies": len(scene.replies),
        CUT: int(bool(cut)),
    }
    known = {name: value for name, value in references.items() if value == value}  # not NaN
    return {CUT: cut, "end": known | told if scene.finished else None}


def say_cut(why: str) -> str:
    """A sentence for the explanation of a score; "" where nothing was cut."""
    return f"Cut short by {why}: what was left passed with nothing done." if why else ""
