"""Runs of language models through Inspect, as logs like everybody else's.

Inspect's own logs are the record of what was said, kept episode by episode under `inspect/` in the
run folder; shards and conversations follow from them. So whatever kills a run, what was paid for is
there, and the same command goes on with the rest.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from seedo.episodes import Dataset, DatasetWriter, Origin, write_atomic
from seedo.errors import UserError
from seedo.language.runs._calls import OUT_OF_BUDGET, Calls, Played
from seedo.language.runs._conversations import Conversations, line
from seedo.language.runs._costs import Budget, Price, Spending, find_price, forecast
from seedo.language.runs._examples import Examples, draw_candidates, example_messages
from seedo.language.runs._ledger import Ledger
from seedo.language.runs._record import BESIDE, RunOptions, RunPlan, finished_episodes
from seedo.language.runs._replay import replay, same_world
from seedo.language.runs._spread import Talkers
from seedo.language.scenes import Conditions, Scene
from seedo.play import check_size, origin, shard_size

LOGS = "inspect"
"""Folder of Inspect's logs within a run."""

_CANDIDATES = 3  # sets of examples that are tried
_CHUNK = 256  # episodes of one Inspect log
_GO_ON = "the same command with --resume goes on"
_SPENT = "the budget is used up: the same command with a larger one and --resume goes on"


@dataclass(frozen=True)
class LlmRun:
    """What became of a run.

    Attributes:
        dataset: the episodes in whole shards; None: no shard is whole yet.
        finished, total: episodes that were played to their end, and that were asked for.
        failed: (episode, why) of those that were begun and are not finished.
        spent: tokens, failed tries included.
        price: of the tokens; None: unknown.
        retried: what went wrong -> calls that were made again because of it.
        truncated: replies that the server cut off for their length.
        stopped: why it is unfinished and how to go on, in a sentence; "": it is finished.
    """

    dataset: Dataset | None
    finished: int
    total: int
    failed: tuple[tuple[int, str], ...]
    spent: Spending
    price: Price | None
    retried: dict[str, int]
    truncated: int
    stopped: str

    def sentence(self) -> str:
        """One line: episodes, tokens, money, retries."""
        said = [
            f"{self.finished:,} of {self.total:,} episodes finished",
            self.spent.say(self.price),
        ]
        if self.retried:
            causes = ", ".join(f"{cause} {n:,}" for cause, n in self.retried.items())
            said.append(f"calls tried again: {causes}")
        if self.truncated:
            said.append(f"{self.truncated:,} replies cut off by the server")
        return "; ".join(said)


class LlmOptions(RunOptions, total=False):
    """Also what a million tokens cost; see `find_price`."""

    price_in: float | None
    price_out: float | None
    prices: str | os.PathLike[str] | None


def record_llm(
    world: Any,
    model: str,
    count: int,
    seed: int,
    out: str | os.PathLike[str],
    *,
    calls: Calls | None = None,
    budget: Budget | None = None,
    resume: bool = False,
    choose: bool = False,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
    talkers: Talkers | None = None,
    **options: Unpack[LlmOptions],
) -> LlmRun:
    """Let a language model play `count` episodes into a run folder, through Inspect.

    Episodes that have failed for good or that a budget stopped are no results: they are left for
    `resume`. Finished ones are never asked again.

    Args:
        world: any that can be put into words.
        model: as Inspect names it: `openai/...`, `openai-api/PROVIDER/...`, `hf/local`, ...
        count: episodes 0 to count - 1 of the stream.
        seed: of the world, and of the model where its provider takes one.
        out: the run folder.
        calls: how the model is called.
        budget: the most that this run may use, all its parts together.
        resume: go on with an interrupted run.
        choose: show those of a few sets of examples with which the model earns most on the first
            episodes of stream `validation`; the record states them, and what they earned.
        progress: called with (episodes done, episodes in all).
        say: called with sentences for the user, the forecast among them.
        talkers: who holds conversations, elsewhere; None: this process.
        options: see `RunOptions` and `LlmOptions`.

    Raises:
        UserError: inspect-ai is missing; a bad number; a world or conditions that cannot be put
            into words; a model that does not answer; a folder that cannot be written; a budget
            that cannot pay for one episode.
    """
    check_size(count, seed)
    calls, budget = calls or Calls(), budget or Budget()
    price = find_price(
        model, options.get("price_in"), options.get("price_out"), options.get("prices")
    )
    if budget.usd is not None and price is None:
        remedy = f"the price of {model} is unknown: give --price-in and --price-out"
        raise UserError("budget in dollars", budget.usd, remedy)
    try:
        from seedo.language.runs import inspect as through_inspect
    except ImportError as error:
        remedy = 'install it: pip install "seedo[inspect]"'
        raise UserError("inspect-ai", None, remedy) from error
    # One object, here and where Inspect's samples open their scenes: compiled once.
    world = same_world(world.name, world.config())
    chosen = None
    if choose and not options.get("examples"):
        kept = _kept_choice(out) if resume else None
        if kept is None:
            bare = options.get("conditions") or Conditions()
            _check_budget(budget, forecast(world, seed, bare), price)  # without examples
            through_inspect.probe(model, calls, seed)
            chosen, best = _chosen(world, model, seed, bare, calls, budget, price, say)
        else:
            chosen, best = kept
        options["examples"] = best
    plan = RunPlan.of(world, seed, options)
    start = origin(plan.world, f"llm:{model}", seed)
    job = plan.job(start.experimenter)
    if chosen is not None:
        job["chosen"] = chosen
    job["model"] = {"temperature": calls.temperature, "max_tokens": calls.max_tokens}
    for option, value in job["model"].items():
        if value is not None:
            job["options"] += [f"--{option.replace('_', '-')}", str(value)]
    where = (plan.world, seed, plan.conditions, plan.opening)
    each = forecast(*where)
    worst = forecast(*where, malformed=plan.conditions.attempts - 1)
    _check_budget(budget, each, price)
    beside = (*BESIDE, LOGS)
    rows = shard_size(count)
    with DatasetWriter(out, start, rows, count, job, resume=resume, beside=beside) as writer:
        run = _Run(writer, start, count, price, budget, plan.systems, progress or (lambda *_: None))
        if chosen is not None:
            run.chose = Spending(*chosen["tokens"])
        run.begin()
        if say:
            rest = count - run.finished
            cost, most = (cost.times(rest).say(price) for cost in (each, worst))
            say(
                f"{rest:,} episodes to play, about {cost}; {most} if every action takes "
                f"{plan.conditions.attempts} replies; tokens are estimated without tokenizer"
            )
        if run.missing:
            try:
                through_inspect.probe(model, calls, seed)
            except UserError:
                if not resume:
                    writer.discard()
                raise
            if talkers is None:
                _play_missing(run, plan, model, calls, each)
            else:
                _play_elsewhere(run, plan, model, calls, each, worst, talkers)
        return run.end()


def _check_budget(budget: Budget, each: Spending, price: Price | None) -> None:
    """Raises UserError where a budget cannot pay for one episode."""
    if budget.episodes(Spending(), each, price) == 0:
        given = budget.tokens if budget.usd is None else budget.usd
        remedy = f"one episode takes about {each.say(price)}: give more"
        raise UserError("budget", given, remedy)


def _kept_choice(out: str | os.PathLike[str]) -> tuple[dict[str, Any], Examples] | None:
    """What an interrupted run has chosen."""
    try:  # also of a run without a whole shard, which is no dataset yet
        job: dict[str, Any] = json.loads((Path(out) / "manifest.json").read_text())["job"]
        return job["chosen"], Examples.from_dict(job["examples"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _chosen(
    world: Any,
    model: str,
    seed: int,
    conditions: Conditions,
    calls: Calls,
    budget: Budget,
    price: Price | None,
    say: Callable[[str], None] | None,
) -> tuple[dict[str, Any], Examples]:
    """Examples chosen by play, or the first where the budget does not pay for a choice."""
    from seedo.language.runs import inspect as through_inspect

    candidates = draw_candidates(conditions, seed, sets=_CANDIDATES)
    opening = example_messages(world, conditions, candidates[0])
    each = forecast(world, seed, conditions, opening)
    trials = len(candidates) * through_inspect.EPISODES
    affordable = budget.episodes(Spending(), each, price)
    if affordable is not None and affordable < 2 * trials:
        candidates = candidates[:1]
        record = {"stream": None, "why": "the budget does not pay for a choice", "tokens": [0, 0]}
        return record, candidates[0]
    if say:
        say(f"choosing {conditions.examples} examples: {trials} validation episodes")
    found = through_inspect.choose_by_play(
        world, model, seed, conditions, candidates, calls, budget, price
    )
    if say:
        say(f"shown in every episode: examples {', '.join(map(str, found.best.indices))}")
    return found.to_dict(), found.best


def _play_missing(run: _Run, plan: RunPlan, model: str, calls: Calls, each: Spending) -> None:
    """Play what is missing, chunk by chunk and failed episodes after all others, until nothing is,
    or the budget is used up, or the model does not answer any more."""
    from seedo.language.runs import inspect as through_inspect

    begun: Counter[int] = Counter()
    while True:
        waiting = [e for e in run.missing if begun[e] < calls.rounds]
        waiting.sort(key=begun.__getitem__)  # stable: in order, those that failed last
        affordable = run.affordable(each)
        if not waiting:
            return
        if affordable == 0:
            run.stopped = _SPENT
            return
        chunk = waiting[: min(_CHUNK, affordable or _CHUNK)]
        task = through_inspect.episode_task(plan, chunk)
        # A model of its own for each log: its connections belong to one event loop.
        player = through_inspect.open_model(model, calls, plan.seed)
        log = through_inspect.play(task, player, run.folder, calls, run)
        tries = list(through_inspect.played(log))
        begun.update(played.episode for played in tries)
        finished = run.take(log.eval.eval_id, tries)
        if not tries:
            why = log.error.message if log.error else "no reason given"
            raise UserError("inspect", None, f"the evaluation did not start: {why}")
        if any(played.failure == OUT_OF_BUDGET for played in tries):
            run.stopped = _SPENT
            return
        if not finished:
            return
        if log.status == "error":  # too many failures at once: is anybody there?
            try:
                through_inspect.probe(model, calls, plan.seed)
            except UserError as error:
                run.stopped = f"{error}; {_GO_ON}"
                return


def _play_elsewhere(
    run: _Run, plan: RunPlan, model: str, calls: Calls, each: Spending, worst: Spending,
    talkers: Talkers,
) -> None:  # fmt: skip
    """Have what is missing played by others, round by round, until nothing is, the budget is used
    up, or a round finishes no episode."""
    from seedo.language.runs import inspect as through_inspect

    begun: Counter[int] = Counter()
    while waiting := [e for e in run.missing if begun[e] < calls.rounds]:
        waiting.sort(key=begun.__getitem__)
        affordable = run.affordable(each)
        if affordable == 0:
            run.stopped = _SPENT
            return
        chosen = waiting if affordable is None else waiting[:affordable]
        finished = 0
        places = talkers.chunks(
            plan, model, calls, chosen, run.folder, run.left(), worst, run.price
        )
        for place in places:
            run.ledger.take_in(place)
            for log in through_inspect.read_logs(place):
                tries = list(through_inspect.played(log))
                begun.update(p.episode for p in tries if p.failure != OUT_OF_BUDGET)
                finished += run.take(log.eval.eval_id, tries)
        if not finished:
            if run.left() is not None and not run.failures:
                run.stopped = _SPENT
            return


class _Run:
    """A run folder: its logs, shards and conversations, and what they cost."""

    def __init__(
        self,
        writer: DatasetWriter,
        start: Origin,
        count: int,
        price: Price | None,
        budget: Budget,
        systems: bool,
        progress: Callable[[int, int], None],
    ) -> None:
        self.writer, self.count, self.rows = writer, count, shard_size(count)
        self._origin = start
        self.price, self.budget, self.systems = price, budget, systems
        self.folder = writer.path / LOGS
        self.ledger = Ledger(self.folder)
        self.chose = Spending()
        self.failures: dict[int, str] = {}
        self.stopped = ""
        self._progress = progress
        self._said = Conversations(writer.path)
        self._logged = set(finished_episodes(writer, self.rows))
        self._waiting: dict[int, Played] = {}  # finished, their shards not yet whole
        self._retried: Counter[str] = Counter()
        self._again: Counter[int] = Counter()  # retries of an episode's earlier tries
        self._truncated = 0
        self._ended = 0

    @property
    def spent(self) -> Spending:
        """Tokens of all calls that were answered."""
        return self.chose + self.ledger.total

    def left(self) -> Budget | None:
        """What is left of the budget; None: there is none."""
        usd, tokens = self.budget.usd, self.budget.tokens
        if usd is None and tokens is None:
            return None
        if usd is not None and self.price is not None:
            usd = max(usd - self.price.of(self.spent), 1e-12)
        return Budget(usd, None if tokens is None else max(tokens - self.spent.tokens, 1))

    @property
    def finished(self) -> int:
        return len(self._logged) + len(self._waiting)

    @property
    def missing(self) -> list[int]:
        done = self._logged | self._waiting.keys()
        return [episode for episode in range(self.count) if episode not in done]

    def begin(self) -> None:
        """Take in what an interrupted run has left."""
        from seedo.language.runs import inspect as through_inspect

        self._said.check(sorted(self._logged))
        if self.folder.is_dir():
            for log in through_inspect.read_logs(self.folder):
                self.take(log.eval.eval_id, through_inspect.played(log))
        self._progress(self.finished, self.count)

    def take(self, evaluation: str, tries: Iterable[Played]) -> int:
        """Add what was played, write the shards that it makes whole; newly finished episodes."""
        before, spent = self.finished, Spending()
        for played in tries:
            spent += played.spent
            self._retried += played.retried
            self._truncated += played.truncated
            episode = played.episode
            if played.failure:
                self._again[episode] += played.retried.total() + 1
                known = episode in self._logged or episode in self._waiting
                if not known and played.failure != OUT_OF_BUDGET:
                    self.failures[episode] = played.failure
            elif episode not in self._logged and episode not in self._waiting:
                self._waiting[episode] = played
                self.failures.pop(episode, None)
        self.ledger.logged(evaluation, spent)
        self._ended = 0
        self._write_shards()
        self._write_report()
        return self.finished - before

    def called(self, spent: Spending, evaluation: str) -> None:
        """A call was answered."""
        self.ledger.called(evaluation, spent)
        self._progress(self.finished + self._ended, self.count)

    def may_call(self) -> bool:
        return not self.budget.used_up(self.spent, self.price)

    def ended(self) -> None:
        self._ended += 1
        self._progress(self.finished + self._ended, self.count)

    def affordable(self, each: Spending) -> int | None:
        """How many more episodes the budget pays for; None: any number."""
        if self.finished:
            each = self.spent.times(1 / self.finished)
        return self.budget.episodes(self.spent, each, self.price)

    def _write_shards(self) -> None:
        writer = self.writer
        while (shard := writer.next_shard) is not None:
            begin = shard * self.rows
            episodes = range(begin, begin + writer.rows_of(shard))
            if not all(episode in self._waiting for episode in episodes):
                return
            tries = [self._waiting[episode] for episode in episodes]
            scenes = [replay(played.record) for played in tries]
            self._said.write(
                self._line(scene, played) for scene, played in zip(scenes, tries, strict=True)
            )
            writer.write(shard, type(scenes[0]).log(self._origin, scenes, self.systems))
            self._logged.update(episodes)
            for episode in episodes:
                del self._waiting[episode]
            self._progress(self.finished, self.count)

    def _line(self, scene: Scene, played: Played) -> dict[str, Any]:
        known = played.known
        return line(
            scene,
            played.episode,
            tokens_in=played.spent.tokens_in if known else None,
            tokens_out=played.spent.tokens_out if known else None,
            cost=round(self.price.of(played.spent), 8) if known and self.price else None,
            retries=played.retried.total() + self._again[played.episode],
            seconds=None if played.seconds is None else round(played.seconds, 3),
        )

    def _write_report(self) -> None:
        """What it took so far, beside the log; `review` shows it."""
        result = self._result(None)
        usd = None if self.price is None else round(self.price.of(self.spent), 6)
        fields = {
            "finished": result.finished,
            "tokens_in": self.spent.tokens_in,
            "tokens_out": self.spent.tokens_out,
            "usd": usd,
            "retried": result.retried,
            "truncated": self._truncated,
            "failed": [list(entry) for entry in result.failed],
            "summary": result.sentence(),
        }
        text = json.dumps({"calls": fields}, indent=1) + "\n"
        write_atomic(self.writer.path / "run.json", text.encode())

    def _result(self, dataset: Dataset | None) -> LlmRun:
        return LlmRun(
            dataset=dataset,
            finished=self.finished,
            total=self.count,
            failed=tuple(sorted(self.failures.items())),
            spent=self.spent,
            price=self.price,
            retried=dict(sorted(self._retried.items())),
            truncated=self._truncated,
            stopped=self.stopped,
        )

    def end(self) -> LlmRun:
        """What became of it."""
        if self.missing and not self.stopped:
            why = next(reversed(self.failures.values()), "no reason given")
            self.stopped = f"{len(self.failures):,} episodes have failed ({why}); {_GO_ON}"
        self._write_report()
        whole = len(self.writer.missing) < self.writer.shard_count
        return self._result(Dataset(self.writer.path) if whole else None)
