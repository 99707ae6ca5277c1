"""The tasks of a study as its participants meet them."""

from __future__ import annotations

from dataclasses import replace

from seedo.lab._naming import Naming
from seedo.lab.study._config import StudyConfig
from seedo.lab.study._kinds import prepare
from seedo.lab.study._task import Task


def task_of(
    config: StudyConfig, condition: str, number: int, task: int, language: str | None = None
) -> Task:
    """A task as a participant (numbered from 1) of a condition meets it, in a language."""
    met = prepare(config.scenario(condition, number, task))
    wording = config.wording(condition, language)
    if wording is None or not wording.variables:
        return met
    # No sign is turned: what people see is what the system says.
    naming = Naming(tuple(v.name for v in wording.variables), (1,) * len(wording.variables))
    units = tuple(v.unit for v in wording.variables)
    images = tuple(config.image(v.image).id if v.image else "" for v in wording.variables)
    return replace(met, naming=naming, units=units, images=images)
