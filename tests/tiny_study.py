"""A study of a few cells that workers find by name, for tests."""

from seedo import worlds
from seedo.errors import UserError
from seedo.experimenters import scripted
from seedo.studies import Study


def play(work):
    keys = [[name, count] for name in ("random", "expert") for count in (20, 40)]
    return work.each("run", keys)


def run(work, key):
    name, count = key
    if (work.out / f"no-{name}-{count}").exists():
        raise UserError("weather", "bad", "wait")
    world = worlds.make("dag", n=3)
    logs = work.watched(world, scripted("expert"), 30, "logs/shared")  # all want the same
    done = work.played(world, scripted(name), count, f"runs/{name}-{count}", True)
    return [float(done.read().returns.mean()), logs.rows]


STUDY = Study(
    name="tiny_study:STUDY",
    claim="c",
    design="d",
    refuted_if="r",
    measures="m",
    scales={"quick": 1, "full": 2},
    play=play,
    parts={"run": run},
    measure=lambda _, found: {"found": found},
    judge=lambda _, found: ["v"],
)
