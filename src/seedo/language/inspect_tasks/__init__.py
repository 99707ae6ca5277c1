"""What Inspect AI finds under the entry point `inspect_ai`: tasks and model providers."""

from seedo.language.inspect_tasks._experiment import experiment, odd_one_out, recitation
from seedo.language.inspect_tasks._items import analogies, content_effects
from seedo.language.inspect_tasks._provider import SeedoAPI
from seedo.language.inspect_tasks._self_correction import reading, self_correction

TASKS = (
    "experiment",
    "odd_one_out",
    "recitation",
    "content_effects",
    "analogies",
    "self_correction",
    "reading",
)
"""Names of the tasks; `inspect eval seedo/NAME`."""

__all__ = [
    "TASKS",
    "SeedoAPI",
    "analogies",
    "content_effects",
    "experiment",
    "odd_one_out",
    "reading",
    "recitation",
    "self_correction",
]
