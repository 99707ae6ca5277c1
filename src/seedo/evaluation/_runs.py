"""What a review says of a run, of runs that differ only in their seed, and of a whole group."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from seedo.evaluation._attribution import Attribution
from seedo.evaluation._beside import Beside
from seedo.evaluation._conduct import Acts
from seedo.evaluation._follows import Follows
from seedo.evaluation._information import Information
from seedo.evaluation._metrics import Metrics
from seedo.evaluation._mixed import Mixed
from seedo.evaluation._regret import Regret
from seedo.evaluation._spoken import Spoken
from seedo.evaluation._stated import Stated
from seedo.statistics import Estimate


@dataclass(frozen=True)
class Known:
    """What is known of a run before its episodes are read.

    Attributes:
        path: as given.
        agent: display name.
        job: what the log says about how it came about, without the learning curve.
    """

    path: str
    agent: str
    seed: int
    job: dict[str, Any]

    @property
    def options(self) -> list[str]:
        """How it was spoken to and called, where that is not as usual: `examples=2`,
        `temperature=0.5`."""
        typed = self.job.get("options")
        found: list[str] = []
        flag = ""
        for word in map(str, typed) if isinstance(typed, list) else ():
            if word.startswith("--"):
                flag = word[2:]
                found += [flag] if flag != "prompt" else []
            elif flag == "prompt":
                found.append(word)
            elif found:
                found[-1] += f"={word}"
        examples = self.job.get("examples")
        if isinstance(examples, dict) and isinstance(shown := examples.get("indices"), list):
            if shown != list(range(len(shown))):
                found.append(f"episodes {' '.join(map(str, shown))} as examples")
        return found

    @property
    def family(self) -> str:
        """What runs that differ only in their seed have in common.

        A name that ends in the training seed (`linear-0`, `linear-s1`, `linear-seed2`) loses that
        end; text players are the same only if they were spoken to in the same way.
        """
        record = self.job.get("agent_record")
        recipe = record.get("recipe") if isinstance(record, dict) else None
        if not isinstance(recipe, dict):
            return " ".join([self.agent, *self.options])
        ending = re.search(r"[-_.]?(?:seed|s)?[-_]?(\d+)$", self.agent)
        if ending and ending.start() and int(ending[1]) == recipe.get("seed"):
            return self.agent[: ending.start()]
        return self.agent

    def is_called(self, name: str, label: str) -> bool:
        """Whether it is meant by a name: its own, its `label`, its family's, or its folder."""
        return name in (label, self.agent, self.family) or Path(name) == Path(self.path)


@dataclass(frozen=True)
class Run(Known):
    """One run: one player on one world.

    Attributes:
        episodes: readable ones, on which all figures rest.
        command: what writes this run again; "" if the log does not tell.
        learning: rows of the agent's training metrics, if the log has them.
        warnings: one line each.
        spoken: what a text player's conversations show; None: there are none.
        participants: how many people's episodes these are; None: they are not people's.
        regret: how good the best setting was after each run; None: no settings are chosen here.
        information: what its experiments were expected to tell; None: it was not asked for.
        stated: which arrows it stated; None: nobody in the review was asked.
        acts: what was done at the steps of each phase.
        follows: which strategies predict its choices; None: it was not asked for.
    """

    mode: str
    episodes: int
    command: str
    metrics: Metrics
    attribution: Attribution
    learning: tuple[dict[str, float], ...]
    warnings: tuple[str, ...]
    spoken: Spoken | None = None
    participants: int | None = None
    regret: Regret | None = None
    information: Information | None = None
    stated: Stated | None = None
    acts: Acts = field(default_factory=dict)
    follows: Follows | None = None

    @property
    def unread(self) -> bool:
        """Whether it speaks and its conversations cannot be read: others are put to no prompt."""
        return self.spoken is None and "conditions" in self.job


@dataclass(frozen=True)
class Row:
    """A line of the table of players of one world and split; see `_rows.DEFINITIONS`.

    Attributes:
        kind: one run, the mean of several that differ only in their seed, or what they are held
            against.
        label: who, and what tells it from others of that name.
        runs: their paths.
        systems: different ones that were met.
        figures: by name, see `_rows.FIGURES`.
        apart: whether it met systems that another run did not; figures then rest on those too.
        shared: of `figures`, those on the systems that all runs met, where they are not the same.
        less: of `figures`, what is left less those of the group's `against`, on the systems that
            both met; {} for that one itself.
        paired: how many systems these are.
    """

    kind: Literal["run", "seeds", "reference"]
    label: str
    runs: tuple[str, ...]
    systems: int
    figures: dict[str, Estimate]
    apart: bool = False
    shared: dict[str, Estimate] = field(default_factory=dict)
    less: dict[str, Estimate] = field(default_factory=dict)
    paired: int = 0


@dataclass(frozen=True)
class Seeds:
    """Independent runs of one agent on one world: the mean over runs, with a t interval."""

    agent: str
    runs: tuple[str, ...]
    return_ratio: Estimate
    bayes_ratio: Estimate
    normalised_return: Estimate


@dataclass(frozen=True)
class Group:
    """Runs on one world and split.

    Attributes:
        world: e.g. "dag linear n=5", with the settings that differ from the preset's.
        references: return ratios of "random", the heuristics, "bayes", "oracle" and, where it is
            known, of "no experiments", who answers best before any. Heuristics and
            Bayes read the histories of all runs of the group; an episode (a system) that several
            runs, or several people, share counts once, with the mean over them.
        beside: every run of people against every other run, on the systems that both met.
        rows: the table of players, references last.
        against: label of the row that others are held against; "": the one that was named is not
            among them.
        shared: how many systems all runs met.
        mixed: people and others in one model of scores; None where nobody asked or none are people.
    """

    world: str
    split: str
    world_config: dict[str, Any]
    runs: tuple[Run, ...]
    references: dict[str, Estimate]
    best_heuristic: str | None
    seeds: tuple[Seeds, ...]
    beside: tuple[Beside, ...] = ()
    rows: tuple[Row, ...] = ()
    against: str = ""
    shared: int = 0
    mixed: Mixed | None = None

    @property
    def label(self) -> str:
        return f"{self.world}, {self.split}"

    @property
    def readers(self) -> tuple[str, ...]:
        """All that read the explorations of any run."""
        return tuple(dict.fromkeys(name for run in self.runs for name in run.metrics.readers))

    @property
    def read(self) -> bool:
        """Whether any reader could make something of any run's explorations."""
        return any(
            reader.return_ratio.value is not None
            for run in self.runs
            for reader in run.metrics.readers.values()
        )
