"""What Inspect AI finds under the entry point `inspect_ai`: tasks and model providers."""

from understudy.language.inspect_tasks._experiment import experiment, odd_one_out, recitation
from understudy.language.inspect_tasks._provider import UnderstudyAPI

__all__ = ["UnderstudyAPI", "experiment", "odd_one_out", "recitation"]
