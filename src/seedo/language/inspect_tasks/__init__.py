"""What Inspect AI finds under the entry point `inspect_ai`: tasks and model providers."""

from seedo.language.inspect_tasks._experiment import (
    experiment,
    odd_one_out,
    read_settings,
    recitation,
)
from seedo.language.inspect_tasks._items import (
    analogies,
    content_effect,
    content_effects,
    item_rows,
)
from seedo.language.inspect_tasks._provider import Batches, SeedoAPI
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
    "Batches",
    "SeedoAPI",
    "analogies",
    "content_effect",
    "content_effects",
    "experiment",
    "item_rows",
    "odd_one_out",
    "read_settings",
    "reading",
    "recitation",
    "self_correction",
]
