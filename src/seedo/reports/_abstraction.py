"""What was learnt from raw logs, in a table and some sentences."""

from __future__ import annotations

from rich.table import Table

from seedo.abstraction import Abstraction
from seedo.reports._estimates import frame, text


def abstraction_table(found: Abstraction) -> Table:
    """One row a knob."""
    made = frame(
        "Read off what is shown, where the knob was set, in what was held out: root mean squared "
        "error in the knob's unit, and per standard deviation of what it was set to; 95 % "
        "intervals over episodes, or rows of a table.",
        ["knob"],
        ["steps", "error", "relative", "its variable"],
    )
    for knob in found.knobs:
        if not knob.shown:
            said = "not found for certain"
        elif knob.like:
            said = f"not separable: set as {', '.join(knob.like)} was"
        elif knob.sets:
            said = f"not separable: sets those of {', '.join(knob.sets)} too"
        else:
            said = "separable"
        made.add_row(knob.name, str(knob.steps), text(knob.error), text(knob.relative), said)
    return made


def abstraction_lines(found: Abstraction) -> list[str]:
    """How many variables there are, and how well it commutes."""
    lines = [f"variables in what is shown: {found.variables}"]
    if found.further:
        lines[0] += f", of which {found.further} that no knob sets"
    if found.unset:
        lines.append(f"hardly ever set, and not learnt: {', '.join(found.unset)}")
    lines.append(f"not found again from the variables: {found.unexplained:.1%} of the variance")
    if (c := found.commuting) is not None:
        lines.append(
            f"setting, then abstracting, against abstracting, then setting: "
            f"{text(c.error)} standard deviations apart (systems never watched); lowest "
            f"correlation of a variable with the true one {c.correlation:.3f}"
        )
        lines.append(
            f"of these systems {text(c.beyond)} reach beyond all that knobs were set to, where it "
            f"guesses; over the others {text(c.within)} standard deviations apart"
        )
        if c.picture.value is not None:
            lines.append(
                f"counterfactuals, shown: off by {text(c.picture)} a number shown, where the noise "
                f"is {c.noise:.3g} and systems differ by {c.contrast:.3g}"
            )
    return lines
