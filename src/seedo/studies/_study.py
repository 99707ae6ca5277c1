"""What a study is (one claim, a design that could refute it, four parts) and how it is carried out.

The parts: `play` leaves runs in the study's folder, `measure` makes numbers of them, `judge` says
in sentences what they mean for the claim, `draw` shows them.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import matplotlib as mpl
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import learning, play, reports
from seedo.episodes import Dataset, write_atomic
from seedo.errors import UserError
from seedo.execution import Workers
from seedo.learning import Agent
from seedo.studies._cells import Crew, Progress, in_turn
from seedo.studies._kept import kept_arrays, kept_numbers
from seedo.studies._registry import find

if TYPE_CHECKING:
    from seedo.studies._spoken import TextPlayer

Say = Callable[[str], None]
"""Takes one line about what is going on."""
S = TypeVar("S")
Part = Callable[["Work[Any]", Any], Any]
"""Takes the work and a key; leaves all that takes long in the work's folder."""


@dataclass(frozen=True)
class Work(Generic[S]):
    """One carrying-out of a study. Whatever is finished is found again in its folder.

    Attributes:
        scale: how much is run. seed: of all that is drawn. say: who is told what is going on.
        out: the folder; files and folders below are named by paths relative to it.
        player: who is studied, where the study needs one.
        data: the folder of recorded data, where the study needs some.
        runs: run folders worth a review, in order.
        workers: who plays shards of logs and runs, where it is not this process alone.
        agents: folders of agents that were learnt, by which workers find them.
        parts: of the study, see `Study`. crew: who does them; None: this process, in order.
        one_of_many: others do parts of the same study: what they are making is waited for.
    """

    scale: S
    out: Path
    seed: int = 0
    say: Say = print
    player: TextPlayer | None = None
    data: Path | None = None
    runs: list[str] = field(default_factory=list)
    workers: Workers | Executor | None = None
    agents: list[str] = field(default_factory=list)
    parts: Mapping[str, Part] = field(default_factory=dict)
    crew: Crew | None = None
    one_of_many: bool = False

    def each(self, part: str, keys: Sequence[Any]) -> list[Any]:
        """What a part of the study gives of every key; workers do the work first, if there are any.

        Args:
            part: one of `Study.parts`.
            keys: JSON-able.
        """
        do = self.parts[part]
        if self.crew is None:
            return [do(self, key) for key in keys]
        told = {
            "seed": self.seed,
            "out": str(self.out.resolve()),
            "data": None if self.data is None else str(self.data.resolve()),
        }
        return self.crew.do(part, keys, told, lambda key: do(self, key))

    def at(self, seed: int) -> Work[S]:
        """The same work with another seed."""
        return replace(self, seed=seed)

    def seeds(self, count: int) -> Iterator[Work[S]]:
        """The same work with this seed and those that follow."""
        return (replace(self, seed=self.seed + number) for number in range(count))

    def below(self, folder: str) -> Work[S]:
        """The same work in a folder below."""
        return replace(self, out=self.out / folder)

    def watched(
        self, world: Any, player: Any, episodes: int, folder: str, explain: str = "none"
    ) -> Dataset:
        """Logs of others: finished, resumed or found there."""
        self.say(f"{folder}: watching {episodes:,} episodes")
        return in_turn(lambda: play.watch(
            world, player, episodes, self.seed, self.out / folder, resume=True, explain=explain,
            elsewhere=self._elsewhere(world, player),
        ), self.one_of_many)  # fmt: skip

    def _elsewhere(self, world: Any, player: Any) -> play.Elsewhere | None:
        names = (player.name, f"scripted:{player.name}", *reversed(self.agents))
        greedy = player.record.get("mode") == "greedy"
        return play.elsewhere_if_known(self.workers, world, player, names, greedy, self.seed)

    def learnt(self, logs: list[Path], folder: str, **recipe: Any) -> Agent:
        """An agent that imitates logs; `recipe`: of `learning.Recipe`, and `warm_up`."""
        self.say(f"{folder}, seed {self.seed}: learning")
        options = {k: recipe.pop(k) for k in ("warm_up",) if k in recipe}
        settings = learning.Recipe(**{"seed": self.seed} | recipe)
        self.agents.append(str(self.out / folder))
        return in_turn(
            lambda: learning.learn(logs, self.out / folder, settings, resume=True, **options),
            self.one_of_many,
        )

    def played(
        self,
        world: Any,
        player: Any,
        episodes: int,
        folder: str,
        review: bool = False,
        rules: Any = None,
    ) -> Dataset:
        """A run: finished, resumed or found there; `review`: it is worth one; `rules`: a world
        with the same rules of play, compiled once for all that have them (`play.episodes`)."""
        start, path = time.perf_counter(), self.out / folder
        dataset = in_turn(lambda: play.perform(
            world, player, episodes, self.seed, path, resume=True, rules=rules,
            elsewhere=self._elsewhere(world, player),
        ), self.one_of_many)  # fmt: skip
        seconds = time.perf_counter() - start
        self.say(f"{path.name}: {episodes:,} episodes in {seconds:.1f} s")
        if review:
            self.runs.append(str(path))
        return dataset

    def numbers(self, file: str, question: Mapping[str, Any], compute: Callable[[], Any]) -> Any:
        """See `kept_numbers`."""
        return kept_numbers(self.out / file, question, compute)

    def arrays(
        self, file: str, question: Mapping[str, Any], compute: Callable[[], dict[str, NDArray[Any]]]
    ) -> dict[str, NDArray[Any]]:
        """See `kept_arrays`."""
        return kept_arrays(self.out / file, question, compute)


@dataclass
class Finding:
    """Result of a study; `runs` are the run folders it rests on, `figures` files in its folder."""

    study: str
    claim: str
    design: str
    refuted_if: str
    scale: str
    measure: str
    values: dict[str, Any] = field(default_factory=dict)
    verdict: str = ""
    runs: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Study:
    """One claim, with its design, what would refute it, and the four parts.

    Attributes:
        measures: what the numbers are.
        scales: how much is run, by name; of a type of the study's own.
        play: everything that is learnt and played; called again on the same folder it goes on
            where it stopped, with the same result.
        measure: (work, what `play` gave) -> the numbers; JSON-able, or with `to_json`.
        judge: (scale, numbers) -> sentences, what they say about the claim.
        draw: (scale, numbers) -> the figure, if there is one; `shows`: its title.
        table: (scale, numbers) -> Markdown, likewise.
        needs_player: whether it is a study of any player made of words that is put to it.
        takes_player: whether such a player may stand beside its own.
        players: such players, as they are named.
        needs_data: what the folder of recorded data must hold; "" where it needs none.
        parts: by name, what `play` has done through `Work.each`: the work of a part and its key
            depends on no other's, and whatever takes long is found again in the folder.
    """

    name: str
    claim: str
    design: str
    refuted_if: str
    measures: str
    scales: Mapping[str, Any]
    play: Callable[[Work[Any]], Any]
    measure: Callable[[Work[Any], Any], Any]
    judge: Callable[[Any, Any], list[str]]
    draw: Callable[[Any, Any], Figure] | None = None
    shows: str = ""
    table: Callable[[Any, Any], str] | None = None
    needs_player: bool = False
    takes_player: bool = False
    players: str = "llm:MODEL, hf:FOLDER, a text agent's folder or pretrained:dag-text"
    needs_data: str = ""
    parts: Mapping[str, Part] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("claim", "design", "refuted_if", "measures"):
            text = " ".join(getattr(self, name).split())  # written over several lines
            object.__setattr__(self, name, text)

    def run(
        self,
        scale: str,
        out: Path,
        seed: int = 0,
        say: Say = print,
        player: TextPlayer | None = None,
        data: Path | None = None,
        workers: Workers | Executor | None = None,
        hours: float | None = None,
        progress: Progress | None = None,
    ) -> Finding:
        """Carry out the study in a folder and write its `study.json`; an interrupted one goes on.

        Args:
            workers: who plays logs and does cells (`Work.each`); None: this process.
            hours: machine-hours that cells may take.
            progress: is told how many cells are done.

        Raises:
            UserError: no such scale; a player where the study has its own, or none where it needs
                one; the same with data; cells failed.
            OutOfHours: no hours are left for some of the cells.
        """
        if scale not in self.scales:
            raise UserError("scale", scale, f"use one of {', '.join(self.scales)}")
        if self.needs_player and player is None:
            raise UserError("--player", None, f"{self.name} needs one: {self.players}")
        if player is not None and not (self.needs_player or self.takes_player):
            remedy = f"{self.name} has its own players: leave it out"
            raise UserError("--player", player.name, remedy)
        if data is not None and not self.needs_data:
            raise UserError("--data", str(data), f"{self.name} needs none: leave it out")
        if self.needs_data and (data is None or not data.is_dir()):
            given = None if data is None else str(data)
            raise UserError("--data", given, f"{self.name} needs {self.needs_data}")
        if hours is not None and not self.parts:
            remedy = f"{self.name} has no cells to be counted: leave it out"
            raise UserError("--machine-hours", hours, remedy)
        crew = Crew(self.name, scale, Path(out), say, self._found_by(workers), hours, progress)
        work = Work(
            self.scales[scale], Path(out), seed, say, player, data, workers=workers,
            parts=self.parts, crew=crew if self.parts else None,
        )  # fmt: skip
        found = self.measure(work, self.play(work))
        finding = Finding(
            self.name, self.claim, self.design, self.refuted_if, scale, self.measures,
            values=_plain(found), verdict="\n".join(self.judge(work.scale, found)), runs=work.runs,
            figures=self._drawn(work, found),
        )  # fmt: skip
        text = json.dumps(asdict(finding), indent=1, sort_keys=True)
        write_atomic(work.out / "study.json", text.encode())
        return finding

    def _found_by(self, workers: Workers | Executor | None) -> Workers | Executor | None:
        """Workers, if they can find this study by its name."""
        with contextlib.suppress(UserError):
            return workers if find(self.name) is self else None
        return None

    def do_cell(self, told: Mapping[str, Any]) -> None:
        """Do a part of this study with a key, told as JSON by `Work.each`."""
        data = None if told["data"] is None else Path(told["data"])
        work: Work[Any] = Work(
            self.scales[told["scale"]], Path(told["out"]), told["seed"], _quiet, data=data,
            parts=self.parts, one_of_many=True,
        )  # fmt: skip
        self.parts[told["part"]](work, told["key"])

    def _drawn(self, work: Work[Any], found: Any) -> list[str]:
        """Writes table and figure; names of the figures."""
        if self.table is not None:
            write_atomic(work.out / "table.md", self.table(work.scale, found).encode())
        if self.draw is None:
            return []
        with mpl.rc_context(reports.STYLE):
            text = reports.svg(self.draw(work.scale, found), self.name, self.shows)
        write_atomic(work.out / "figure.svg", text.encode())
        return ["figure.svg"]


def _quiet(line: str) -> None:
    """Whoever works elsewhere says nothing on the way."""


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if hasattr(value, "to_json"):
        return value.to_json()
    return {k: _plain(v) for k, v in value.items()} if isinstance(value, dict) else value
