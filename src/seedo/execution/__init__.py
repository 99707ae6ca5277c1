"""Where work runs: tasks that travel as text, and whoever carries them out."""

from seedo.execution._executors import EXECUTORS, check_executor, open_workers
from seedo.execution._spread import spread
from seedo.execution._task import Task, carry_out, cpu_type
from seedo.execution._values import pack, unpack
from seedo.execution._workers import LostWorker, Pool, Workers

__all__ = [
    "EXECUTORS",
    "LostWorker",
    "Pool",
    "Task",
    "Workers",
    "carry_out",
    "check_executor",
    "cpu_type",
    "open_workers",
    "pack",
    "spread",
    "unpack",
]
