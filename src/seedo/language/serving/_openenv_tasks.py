"""The set of tasks of an OpenEnv server: episodes by split and number, as its Task API has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from seedo.errors import UserError

MOST_TASKS = 10_000
"""Tasks in one answer."""


@dataclass(frozen=True)
class Tasks:
    """The episodes that OpenEnv's Task API names; nothing of it tells what is in a system.

    Attributes:
        world, seed, stream: which episodes.
        count: those from number 0.
    """

    world: Any
    seed: int
    stream: str
    count: int

    def splits(self) -> list[dict[str, str]]:
        """The world's split, with the type that trainers go by."""
        split = self.world.split
        return [{"name": split, "type": "train" if split == "train" else "test"}]

    def within(self, split: Any, start: int | None, stop: int | None) -> list[dict[str, Any]]:
        """Tasks from `start` to before `stop`, as Python slices; at most `MOST_TASKS`.

        Raises:
            UserError: another split.
        """
        self.check(split)
        return [self.task(i) for i in range(self.count)[start:stop][:MOST_TASKS]]

    def task(self, index: int) -> dict[str, Any]:
        """What `reset` has to be given for a task, and a name for it.

        Raises:
            IndexError: there is none of this number.
        """
        if not 0 <= index < self.count:
            raise IndexError(index)
        split = self.world.split
        name = f"{self.world.name}-{split}-{self.stream}-{self.seed}-{index:05d}"
        return {"id": name, "split": split, "seed": self.seed, "index": index}

    def check(self, split: Any) -> None:
        """Raises UserError for another split than the world's."""
        if split != self.world.split:
            raise UserError("split", split, f"this server has {self.world.split}")


class TaskApi:
    """The methods of OpenEnv's protocol `TaskProvider`; it turns an IndexError into the client's
    error, whatever was wrong."""

    tasks: ClassVar[Tasks]

    def list_splits(self) -> list[dict[str, str]]:
        return self.tasks.splits()

    def list_tasks(self, split: str) -> list[dict[str, Any]]:
        return self.get_task_range(split)

    def get_task_range(
        self, split: str, start: int | None = None, stop: int | None = None
    ) -> list[dict[str, Any]]:
        try:
            return self.tasks.within(split, start, stop)
        except UserError as error:
            raise IndexError(str(error)) from error

    def num_tasks(self, split: str) -> int:
        self.get_task_range(split, 0, 0)
        return self.tasks.count

    def get_task(self, split: str, index: int) -> dict[str, Any]:
        self.get_task_range(split, 0, 0)
        return self.tasks.task(index)
