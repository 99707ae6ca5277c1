"""Guesses: what type a column is, and what it is for, from its values and its name."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

MOST_LEVELS = 64
"""More different texts are labels and no groups, unless the user says so."""

_COUNTS = {"n", "count", "counts", "freq", "frequency", "frequencies", "weight", "weights", "wt",
           "cases", "num", "number", "anzahl"}  # fmt: skip
_PEOPLE = {"patients", "people", "persons", "subjects", "participants", "respondents", "animals",
           "students", "customers", "users", "total", "obs", "observations", "size", "amount",
           "personen", "patienten", "probanden", "haeufigkeit", "häufigkeit", "fälle",
           "faelle", "times", "number_of", "how_many"}  # fmt: skip
"""Names that a column of counts may have, and a measurement too."""
_RUNS = {"episode", "run", "trial", "session", "trajectory", "traj", "rollout"}
_TIMES = {"time", "t", "date", "day", "week", "month", "quarter", "year", "minute", "second",
          "timestamp", "period", "tick", "datum", "zeit", "tag", "woche", "monat", "jahr",
          "datetime", "yearmonth"}  # fmt: skip
_BIRTH = {"birth", "born", "dob", "birthday", "birthdate", "geburtsdatum", "geboren"}
_IDS = {"id", "ids", "index", "idx", "nr", "no", "row", "rownum", "rowid", "obs", "record", "uuid",
        "key"}  # fmt: skip
_SUBJECTS = {"subject", "subj", "patient", "participant", "person", "animal", "rat", "mouse",
             "user", "customer", "client", "student", "pupil", "school", "class", "classroom",
             "household", "family", "litter", "cage", "donor", "cluster", "village", "clinic",
             "hospital", "worker", "child", "individual", "pid", "sid", "proband",
             "tier", "firm", "company", "farm"}  # fmt: skip
ORDERS = (
    ("very low", "low", "medium", "high", "very high"),
    ("low", "moderate", "high"),
    ("low", "middle", "high"),
    ("none", "mild", "moderate", "severe"),
    ("never", "rarely", "sometimes", "often", "always"),
    ("strongly disagree", "disagree", "neutral", "agree", "strongly agree"),
    ("xs", "s", "m", "l", "xl", "xxl"),
    ("very small", "small", "medium", "large", "very large"),
    ("poor", "fair", "good", "very good", "excellent"),
)
"""Words whose order everyone knows."""


def number_type(values: NDArray[np.float64], unit: str) -> str:
    """Type of a column of numbers, float64[R], NaN where missing.

    yes/no: 0 and 1 alone; bounded: from 0 to 1, or per cents from 0 to 100; count: whole, never
    negative, some 0; positive: never negative and skewed (skewness above 1); else real.
    """
    there = values[np.isfinite(values)]
    if len(there) < 2 or there.min() < 0:
        return "real"
    low, high = there.min(), there.max()
    whole = bool((there == np.floor(there)).all())
    if whole and low == 0 and high == 1:
        return "yes/no"
    if not whole and high <= (100 if unit == "%" else 1):
        return "bounded"
    if whole and low == 0 and high > 1:
        return "count"
    spread = there.std()
    skewed = spread > 0 and np.mean(((there - there.mean()) / spread) ** 3) > 1
    return "positive" if skewed else "real"


def text_type(levels: list[str], there: int) -> tuple[str, list[str]]:
    """Type of a column of names, and its levels in their order.

    Args:
        levels: the different ones.
        there: how many cells hold one.
    """
    folded = [level.casefold() for level in levels]
    if len(levels) > MOST_LEVELS or (len(levels) > 2 and there < 2 * len(levels)):
        return "label", levels
    for order in ORDERS:
        if len(levels) > 1 and set(folded) <= set(order) and _telling(folded):
            return "ordered", [levels[folded.index(word)] for word in order if word in folded]
    return "categorical", levels


def role_of(
    name: str, kind: str, values: NDArray[np.float64], levels: tuple[str, ...]
) -> tuple[str, str]:
    """Role of a column as far as it shows, and a note; `measured` if nothing does.

    Args:
        name: of the column.
        kind: its type.
        values: float64[R], NaN where missing; for text, positions in the different texts.
        levels: of columns of names; for labels, the different texts.
    """
    words = _words(name)
    if kind == "time":
        return ("ignored", "a date of birth") if words & _BIRTH else ("time", "")
    there = values[np.isfinite(values)]
    if not len(there):
        return "measured", ""
    different = len(np.unique(there)) if kind not in ("yes/no",) else 2
    repeated = different >= 5 and len(there) >= 2 * different
    whole = kind == "label" or bool((there == np.floor(there)).all())
    ids = _IDS - {"obs"} if words & {"n", "count", "number"} else _IDS
    called = bool(words & (ids | _SUBJECTS))
    if words & _RUNS and repeated and whole and kind != "label" and _in_blocks(values):
        return "unit", "its rows belong together"
    digits = sum(any(c.isdigit() for c in level) for level in levels) > len(levels) / 2
    if called and repeated and whole and (words & _SUBJECTS or "id" in words):
        if not levels or digits:
            return "unit", "its rows belong together"
        return ("ignored" if kind == "label" else "measured",
                "if rows with the same name belong together, --unit says so")  # fmt: skip
    if kind == "label":
        return "ignored", f"{different:,} different names"
    if called and different == len(there) and whole and len(there) > 7:
        return "ignored", "every row has another"
    if kind in ("real", "positive", "count") and len(there) == len(values) > 3:
        steps = np.diff(values)
        if words & _TIMES and (steps > 0).all():
            return "time", ""
    return "measured", ""


def _in_blocks(values: NDArray[np.float64]) -> bool:
    """Whether equal values, of which none is missing, stand in rows below each other."""
    changes = 1 + int((np.diff(values) != 0).sum())
    return bool(np.isfinite(values).all()) and changes == len(np.unique(values))


def is_cells(values: NDArray[np.float64], counts: NDArray[np.float64]) -> bool:
    """Whether rows are combinations of a few values with how often each was there.

    Args:
        values: float64[R, n], all other variables.
        counts: float64[R], the column in question.
    """
    if not len(counts) or not np.isfinite(counts).all():
        return False
    if counts.min() < 0 or (counts != np.floor(counts)).any() or counts.sum() < 2 * len(counts):
        return False
    different = [len(np.unique(column[np.isfinite(column)])) for column in values.T]
    if not different or max(different) > max(10, len(counts) // 4):
        return False
    combinations = np.unique(np.where(np.isfinite(values), values, -1e300), axis=0)
    return len(combinations) == len(counts)


def known_counts(name: str) -> bool:
    """Whether a column is called as columns of counts are."""
    return bool(_words(name) & _COUNTS)


def likely_counts(name: str) -> bool:
    """Whether a column is called as columns of counts may be, and others too."""
    return bool(_words(name) & _PEOPLE)


def _words(name: str) -> set[str]:
    """The words of a name, `PatientId` and `patient_id` alike, and the name itself."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return {word for word in re.split(r"[\W_]+", parted.casefold()) if word} | {name.casefold()}


def _telling(words: list[str]) -> bool:
    """Whether words are enough to see an order: `good` alone, or `s` and `m`, are not."""
    return len(words) >= 3 or set(words) in (
        {"low", "high"},
        {"small", "large"},
        {"mild", "severe"},
    )
