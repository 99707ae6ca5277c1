"""The tables of an export as a dataset in Psych-DS, with a dictionary of its columns.

The rules: https://psychds-docs.readthedocs.io/en/latest/reference/rules_and_conventions/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from seedo.lab.study._config import StudyConfig
from seedo.lab.study._questions import MOST, Question

_MEANS = {
    "participant": "Pseudonym of the participant",
    "number": "Number of the participant, in the order of joining",
    "condition": "Condition, by the levels of its factors",
    "language": "In which the participant took part",
    "wording": "What things were called",
    "state": "Where the participant is: finished, screened (sent away), or the part they left at",
    "attention_passed": "1: as many attention checks right as the study asks for; 0: fewer",
    "tasks_finished": "Tasks finished, practice left out",
    "task_order": "Numbers of the tasks in the order they were met",
    "minutes": "From consent to the end",
    "seconds_in_tasks": "Sum of the times of all choices in tasks",
    "score": "Sum of the returns by the sum of the best possible ones; 1: as who knows the systems",
    "task": "Number of the task, from 0; below 0: practice",
    "position": "Place of the task in the order it was met, from 1; 0 and below: practice",
    "seed": "Seed of the stream of systems",
    "episode_id": "Number of the system in its stream",
    "goal": "Variable that was to become large, as in the logs",
    "seconds": "Time of all choices in the task",
    "returns": "What the choices that count bring on average, by the system",
    "oracle_return": "The most that was possible",
    "random_return": "What random choices bring on average",
    "task_finished": "1: all choices of the task were made",
    "step": "Number of the step in the task, from 0",
    "phase": "What the choice was for: to explore, or to exploit (it counts)",
    "variable": "Variable that was set, as in the logs; empty: none",
    "value": "Value that it was set to, on the system's own scale",
    "shown_variable": "What the participant saw it called",
    "shown_value": "Value that the participant saw",
    "shown_unit": "Unit that stood beside it",
    "milliseconds": "Time from when it was shown until it was answered or left",
    "answered_at": "Time of the answer, UTC",
    "time": "in time; late: after the limit; missed: the limit was over before a choice was made",
    "page": "Page that was looked at",
    "away_milliseconds": "Of the time, while another window or tab had the focus",
}
_UNITS = {
    "minutes": "min",
    "seconds_in_tasks": "s",
    "seconds": "s",
    "milliseconds": "ms",
    "away_milliseconds": "ms",
}


def column_of(question: Question) -> str:
    """The column of a question's answers: its id, unless a table has such a column already."""
    taken = question.id in _MEANS or question.id.startswith("quiz-")
    return f"answer-{question.id}" if taken else question.id


def file_name(study: str, table: str) -> str:
    """Where a table goes, by the standard's rules of names."""
    return f"study-{re.sub('[^a-zA-Z0-9]', '', study)}_description-{table}_data.csv"


def description(config: StudyConfig, tables: Mapping[str, list[list[Any]]]) -> bytes:
    """`dataset_description.json`: what the data are, and what every column means.

    Args:
        tables: by name, rows whose first is the heading.
    """
    columns = dict.fromkeys(column for rows in tables.values() for column in rows[0])
    text = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": config.title,
        "description": (
            f"Responses to the study {config.name}, collected with Seedo: "
            f"{config.tasks} tasks a participant, in which causes are found by interventions."
        ),
        "variableMeasured": [_variable(config, column) for column in columns],
    }
    return (json.dumps(text, indent=1, ensure_ascii=False) + "\n").encode()


def _variable(config: StudyConfig, column: str) -> dict[str, Any]:
    meant: dict[str, Any] = {"@type": "PropertyValue", "name": column}
    question = next((q for q in config.questions if column_of(q) == column), None)
    if question is not None:
        asked = {"before": "before the tasks", "task": "after the task", "end": "at the end"}
        meant["description"] = f"Answer {asked[question.when]} to: {question.text}"
        if question.kind == "slider":
            low, high = question.options
            meant |= {"minValue": 0, "maxValue": MOST}
            meant["description"] += f" (0: {low}; {MOST}: {high})"
        elif question.kind == "choice":
            meant["description"] += f" ({_listed(question.options)})"
    elif column.startswith("attention-"):
        meant["description"] = "Answer to this attention check: right or wrong"
    elif column.startswith("quiz-"):
        meant["description"] = "This try at the questions about the instructions: right or wrong"
    elif column == "shown_variable":
        meant["description"] = "; ".join([_MEANS[column], *_named(config)])
    else:
        meant["description"] = _MEANS[column]
    if column in _UNITS:
        meant["unitText"] = _UNITS[column]
    return meant


def _named(config: StudyConfig) -> list[str]:
    """What each wording calls which variable."""
    own = config.scenario(config.conditions()[0][0], 1, 0).stage().spec.variables
    said = []
    for wording in config.wordings:
        each = [f"{a} {v.label}" for a, v in zip(own, wording.variables, strict=False)]
        said.append(f"wording {wording.id}: {', '.join(each) or 'as without'}")
    return said


def _listed(options: Iterable[str]) -> str:
    return "; ".join(options)
