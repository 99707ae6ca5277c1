"""A person measures: values are typed."""

from __future__ import annotations

import time
from collections.abc import Callable

from seedo.play.campaign._campaign import Campaign
from seedo.play.campaign._runs import Run

HELP = (
    "Type what was read; Enter: nothing. Also: failed WHY, skip WHY, stop; "
    "set KNOB = VALUE, where something else was set."
)


class _Over(Exception):
    """The person stops."""


class _Ended(Exception):
    """The run failed, or was not made."""

    def __init__(self, word: str, why: str) -> None:
        self.word, self.why = word, why


def run_by_hand(
    campaign: Campaign,
    ask: Callable[[str], str],
    show: Callable[[str], None],
    progress: Callable[[Campaign], None] | None = None,
) -> str:
    """Asks a person for the results of all runs, until the budget is used up or they stop.

    Args:
        campaign: gone on with from where it is.
        ask: shows a text and gives the line that is typed; EOFError: they stop.
        show: shows a line.
        progress: called after every result.

    Returns:
        Why it ended.

    Raises:
        UserError: the player fails, or the journal cannot be written.
    """
    show(HELP)
    try:
        while proposals := campaign.ask():
            if len(proposals) > 1:
                show(f"{len(proposals)} runs to make:")
                for each in proposals:
                    show("  " + _named(campaign, campaign.runs[each.run]))
            for each in proposals:
                _asked(campaign, campaign.runs[each.run], ask, show)
                if progress:
                    progress(campaign)
    except (_Over, EOFError):
        return "you stopped it"
    return campaign.finish()


def _asked(
    campaign: Campaign, run: Run, ask: Callable[[str], str], show: Callable[[str], None]
) -> None:
    """Asks for one run until there is a result."""
    show(_named(campaign, run))
    began = time.monotonic()
    while True:
        changed: dict[str, str] = {}
        try:
            read = _typed(campaign, run, changed, ask, show)
        except _Ended as end:
            told = {"failed": end.why} if end.word == "failed" else {"skipped": end.why}
            campaign.tell(run.number, setting=changed or None, **told)  # type: ignore[arg-type]
            return
        if not read:
            show("  nothing was read: type failed or skip, or a value")
            continue
        seconds = time.monotonic() - began
        campaign.tell(run.number, read, setting=changed or None, seconds=seconds)
        return


def _typed(
    campaign: Campaign, run: Run, changed: dict[str, str], ask: Callable[[str], str],
    show: Callable[[str], None],
) -> dict[str, float]:  # fmt: skip
    """A number for every reading that was read."""
    read: dict[str, float] = {}
    for reading in campaign.plan.readings:
        title = f"  {reading.name}" + (f" ({reading.unit})" if reading.unit else "") + ": "
        doubted: float | None = None
        while text := ask(title).strip():
            word, _, rest = text.partition(" ")
            if word.lower() in ("failed", "skip", "stop"):
                _ended(word.lower(), rest.strip())
            if word.lower() == "set":
                show(f"  {_change(campaign, changed, rest)}")
                continue
            value = as_number(text)
            if value is None:
                show(f"  {text!r} is no number; {HELP[0].lower()}{HELP[1:]}")
            elif (odd := reading.odd(value)) and value != doubted:
                show(f"  {odd}: type it again if it is right")
                doubted = value
            else:
                read[reading.name] = value
                break
    return read


def _ended(word: str, why: str) -> None:
    if word == "stop":
        raise _Over
    raise _Ended(word, why or ("it failed" if word == "failed" else "it was not made"))


def _change(campaign: Campaign, changed: dict[str, str], text: str) -> str:
    name, _, value = (part.strip() for part in text.partition("="))
    knobs = {knob.name: knob for knob in campaign.plan.space.knobs}
    if name not in knobs:
        return f"there is no knob {name!r}: write set KNOB = VALUE with {', '.join(knobs)}"
    if knobs[name].named and value not in knobs[name].levels:
        return f"{name} has {', '.join(knobs[name].levels)}"
    if not knobs[name].named and as_number(value) is None:
        return f"{value!r} is no number"
    changed[name] = value if knobs[name].named else str(as_number(value))
    return f"{name} was set to {value}"


def _named(campaign: Campaign, run: Run) -> str:
    return f"run {run.number}: {campaign.plan.space.words(run.setting)}"


def as_number(text: str) -> float | None:
    """A finite number as people type it, also with a decimal comma; None where it is none."""
    plain = text.strip().replace("−", "-")
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        value = float(plain)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
