"""What a study amounts to, without a task being prepared."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from seedo.lab.study._assignment import balanced_orders
from seedo.lab.study._config import StudyConfig
from seedo.lab.study._kinds import KINDS
from seedo.lab.study._task import choices_of


@dataclass(frozen=True)
class Summary:
    """What `check-study` says of a study.

    Attributes:
        choices: in a task, by condition.
        round: after so many participants conditions and orders are balanced.
        agents: commands that let an agent work on the systems that participants meet.
    """

    config: StudyConfig
    choices: dict[str, int]
    round: int
    agents: list[str]

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "name": self.config.name,
            "conditions": self.choices,
            "tasks": self.config.tasks,
            "participants_of_a_balanced_round": self.round,
            "agents": self.agents,
        }

    def lines(self) -> list[str]:
        """For people."""
        config = self.config
        quiz = "" if config.quiz is None else f", a quiz of {len(config.quiz.items)}"
        return [
            f"{config.name}: {config.title}",
            f"{config.tasks} tasks ({config.systems} systems, order {config.order}), "
            f"{config.practice} practice, {config.checks} attention checks, "
            f"{len(config.questions)} questions{quiz}",
            *([f"wordings: {', '.join(w.id for w in config.wordings)}"] if config.wordings else []),
            *([f"limits of time; afterwards: {config.time.at_end}"] if config.timed else []),
            *([f"languages: {', '.join(config.languages)}"] if len(config.languages) > 1 else []),
            *(f"condition {label}: {n} choices a task" for label, n in self.choices.items()),
            f"balanced after every {self.round} participants",
            "agents on the same systems:",
            *(f"  {line}" for line in self.agents),
        ]


def summary(config: StudyConfig) -> Summary:
    """What a study amounts to."""
    orders = len(set(balanced_orders(config.tasks))) if config.order == "balanced" else 1
    labels = [label for label, _ in config.conditions()]
    first = {label: config.scenario(label, 1, 0) for label in labels}
    choices = {label: choices_of(each.stage().spec) for label, each in first.items()}
    agents = list(dict.fromkeys(_paired(config, label) for label in labels))
    return Summary(config, choices, orders * len(labels), agents)


def _paired(config: StudyConfig, label: str) -> str:
    """The command that lets an agent work on the systems that participants meet."""
    scenario = config.scenario(label, 1, 0)
    words = KINDS[config.kind].agent(scenario)
    many = 1 if config.systems == "shared" else config.max_participants
    words += ["--episodes", str(config.tasks * many), "--seed", str(scenario.seed)]
    return shlex.join([*words, "--out", "runs/AGENT"])
