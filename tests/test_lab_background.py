"""Work in the background: in order, once, kept, and stopped."""

import threading
from contextlib import suppress

import pytest

from seedo.errors import UserError
from seedo.lab._background import Background, Jobs, Stopped
from seedo.lab._once import once


@pytest.fixture
def background():
    service = Background()
    yield service
    service.close(patience=5)


@pytest.fixture
def held(background):
    """Holds up the lane "a" until it is set."""
    gate, begun = threading.Event(), threading.Event()
    background.start("a", lambda job: (begun.set(), gate.wait(10)))
    begun.wait(10)
    yield gate
    gate.set()


def test_a_lane_does_one_thing_after_another_and_what_is_late_last(background, held):
    done = []
    jobs = [background.start("a", lambda job: done.append("late"), late=True)]
    jobs += [background.start("a", lambda job, i=i: done.append(i)) for i in range(3)]
    assert background.start("b", lambda job: "at once").wait(10) == "at once"
    held.set()
    for job in jobs:
        job.wait(10)
    assert done == [0, 1, 2, "late"]


def test_a_lane_of_several_threads_does_as_much_at_once(background):
    together = threading.Barrier(3)
    jobs = [background.start("wide", lambda job: together.wait(10), threads=3) for _ in range(3)]
    assert sorted(job.wait(10) for job in jobs) == [0, 1, 2]


def test_the_same_is_done_once_and_sooner_if_somebody_waits_for_it(background, held):
    jobs, done = Jobs(background, "a"), []
    first = jobs.start("x", lambda job: done.append("x"), late=True)
    other = jobs.start("y", lambda job: done.append("y"), late=True)
    assert jobs.start("y", lambda job: done.append("again")) is other
    assert jobs.waiting() == ["x", "y"]
    held.set()
    first.wait(10)
    assert done == ["y", "x"]


def test_what_failed_says_why_and_can_be_begun_again(background):
    jobs = Jobs(background, "a")

    def refuse(job):
        raise UserError("player", "nobody", "choose another")

    failed = jobs.start("x", refuse)
    with pytest.raises(UserError):
        failed.wait(10)
    assert failed.why == str(failed.failure)
    assert jobs.start("x", lambda job: 1).wait(10) == 1


def test_a_mistake_is_for_the_terminal_and_a_line_for_who_waits(background, caplog):
    job = background.start("a", lambda job: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        job.wait(10)
    assert "ZeroDivisionError" in job.why
    assert caplog.records


def test_only_so_many_wait_and_only_so_many_results_are_kept(background, held):
    jobs = Jobs(background, "a", kept=2, most=2)
    first = [jobs.start(key, lambda job: "done") for key in range(2)]
    with pytest.raises(UserError):
        jobs.start(2, lambda job: "done")
    held.set()
    for job in first:
        job.wait(10)
    for key in range(2, 6):
        jobs.start(key, lambda job: "done").wait(10)
    assert jobs.find(0) is None
    assert jobs.find(5) is not None


def test_at_the_end_what_runs_is_stopped_and_nothing_more_begins():
    service, begun = Background(), threading.Event()

    def work(job):
        begun.set()
        job.rest(60)

    running = service.start("a", work)
    waiting = service.start("a", lambda job: "never")
    begun.wait(10)
    service.close(patience=10)
    with pytest.raises(Stopped):
        running.wait(10)
    assert not waiting.over


def test_a_program_that_two_need_is_begun_by_one_and_again_if_that_fails():
    begun, gate, order = threading.Event(), threading.Event(), []

    def first():
        with suppress(ValueError), once("test", 1):
            begun.set()
            gate.wait(10)
            order.append("first")
            raise ValueError("compiler")

    def second():
        with once("test", 1):
            order.append("second")

    threads = [threading.Thread(target=first)]
    threads[0].start()
    begun.wait(10)
    threads += [threading.Thread(target=second) for _ in range(2)]
    for thread in threads[1:]:
        thread.start()
    with once("test", 2):  # another program waits for nobody
        order.append("other")
    gate.set()
    for thread in threads:
        thread.join(10)
    assert order == ["other", "first", "second", "second"]
    with once("test", 1), once("test", 1):  # from then on, everybody at once
        pass
