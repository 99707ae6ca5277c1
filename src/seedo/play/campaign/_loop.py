"""The loop of a campaign whose runs are made without asking anybody."""

from __future__ import annotations

import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from seedo.errors import UserError
from seedo.play.campaign._campaign import Campaign, Proposal
from seedo.play.campaign._meters import Failed, Function, FunctionMeter, Meter, Off, open_meter

LOST = "its result was lost when the campaign was stopped"


_CLOSING = 2.0
"""Seconds that a meter may take to be closed."""


class Outcome(NamedTuple):
    """What came of a run that was handed out; `off`: it was not made, since whatever measures
    cannot be reached."""

    run: int
    readings: Mapping[str, float | None] | None
    why: str
    seconds: float
    off: bool = False
    broken: BaseException | None = None


def run_campaign(
    campaign: Campaign,
    function: Function | None = None,
    *,
    progress: Callable[[Campaign], None] | None = None,
) -> str:
    """Makes runs until the budget is used up, several at once where the plan has several workers.

    Ctrl-C starts no further run and waits for those that are being made; a second one leaves them:
    they are asked for again when the campaign goes on.

    Args:
        campaign: gone on with from where it is.
        function: makes a run, in this process; called from threads of their own. None: whoever the
            plan names.
        progress: called after every result.

    Returns:
        Why it stopped.

    Raises:
        UserError: the player fails, or the journal cannot be written.
        KeyboardInterrupt: it was stopped; all results are on the disk.
    """
    plan = campaign.plan

    def opened() -> Meter:
        return FunctionMeter(function, plan.names) if function else open_meter(plan)

    if function is None:
        opened().close()  # a wrong name is said before anything is handed out
    with _Workers(opened, plan.workers) as workers, _interrupts(campaign, workers) as stopping:
        why = _looped(campaign, workers, stopping, progress or (lambda campaign: None))
    if stopping.is_set():
        raise KeyboardInterrupt
    return why


def _looped(
    campaign: Campaign, workers: _Workers, stopping: threading.Event,
    progress: Callable[[Campaign], None],
) -> str:  # fmt: skip
    plan = campaign.plan
    running: set[int] = set()
    in_a_row, why = 0, ""
    _settle_lost(campaign)
    while True:
        if not (stopping.is_set() or why):
            _hand_out(campaign, workers, running)
        if not running:
            break
        outcome = workers.next()
        if outcome is None:  # woken by Ctrl-C
            runs = f"{len(running)} run{'s' * (len(running) != 1)}"
            campaign.say(f"waiting for the result of {runs}; Ctrl-C again leaves without")
            continue
        if outcome.broken is not None:
            raise outcome.broken
        running.discard(outcome.run)
        if outcome.off:
            campaign.take_back(outcome.run)
            if not why:
                why = f"no run can be made: {outcome.why}"
                campaign.stop(why)
            continue
        failed = _told(campaign, outcome)
        in_a_row = in_a_row + 1 if failed else 0
        progress(campaign)
        if in_a_row >= plan.measure.failures and not why:
            why = f"{in_a_row} runs in a row failed, the last one because: {failed}"
            campaign.stop(why)
    return why or campaign.finish()


def _hand_out(campaign: Campaign, workers: _Workers, running: set[int]) -> None:
    """Gives free workers what waits, and proposes when a whole batch finds free workers, or none of
    the last one is left."""
    plan = campaign.plan
    while len(running) < plan.workers:
        ready = [run for run in campaign.waiting if run.number not in running]
        if not ready and len(running) <= max(plan.workers - plan.batch, 0):
            ready = campaign.propose()
        if not ready:
            return
        running.add(ready[0].number)
        workers.give(campaign.hand_out(ready[0]))


def _settle_lost(campaign: Campaign) -> None:
    """Where a run must not be made twice, those handed out before the campaign was killed count as
    failed."""
    for run in campaign.waiting:
        if run.asked and not campaign.plan.measure.repeat:
            campaign.say(f"run {run.number} counts as failed: {LOST}")
            campaign.tell(run.number, failed=LOST)


def _told(campaign: Campaign, outcome: Outcome) -> str:
    """Writes an outcome down; why the run failed, or ""."""
    why = outcome.why
    if outcome.readings is not None:
        try:
            campaign.tell(outcome.run, outcome.readings, seconds=outcome.seconds)
        except UserError as error:
            if error.field not in (*campaign.plan.names, "reading"):
                raise
            why = str(error)
    if why:
        campaign.tell(outcome.run, failed=why, seconds=outcome.seconds)
    run = campaign.runs[outcome.run]
    return run.why if run.state == "failed" else ""


class _Workers:
    """Threads that make runs, each with a meter of its own. They end with the process, so that a
    run that hangs keeps nobody from leaving."""

    def __init__(self, opened: Callable[[], Meter], count: int) -> None:
        self._opened, self._count = opened, count
        self._wanted: queue.SimpleQueue[Proposal | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()
        self._meters: list[Meter] = []

    def __enter__(self) -> _Workers:
        for _ in range(self._count):
            threading.Thread(target=self._work, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        for _ in range(self._count):
            self._wanted.put(None)
        closing = [threading.Thread(target=self._let_go, args=(meter,), daemon=True)
                   for meter in self._meters]  # fmt: skip
        for thread in closing:
            thread.start()
        for thread in closing:  # one that is still measuring, because nobody waits for it, may hang
            thread.join(_CLOSING)

    @staticmethod
    def _let_go(meter: Meter) -> None:
        with suppress(Exception):
            meter.close()

    def give(self, proposal: Proposal) -> None:
        self._wanted.put(proposal)

    def next(self) -> Outcome | None:
        return self._done.get()

    def wake(self) -> None:
        self._done.put(None)

    def _work(self) -> None:
        meter: Meter | None = None
        while (proposal := self._wanted.get()) is not None:
            began = time.monotonic()
            readings, why, off, broken = None, "", False, None
            try:
                if meter is None:
                    meter = self._opened()
                    self._meters.append(meter)
                readings = meter.run(proposal.run, dict(proposal.setting))
            except (Failed, Off) as error:
                why, off = str(error) or "it failed", isinstance(error, Off)
            except BaseException as error:
                broken = error
            seconds = time.monotonic() - began
            self._done.put(Outcome(proposal.run, readings, why, seconds, off, broken))


@contextmanager
def _interrupts(campaign: Campaign, workers: _Workers) -> Iterator[threading.Event]:
    """While it lasts, Ctrl-C sets the event, and raises KeyboardInterrupt only the second time."""
    stopping = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopping
        return

    def stop(number: int, frame: Any) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()
        workers.wake()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopping
    finally:
        signal.signal(signal.SIGINT, before)
