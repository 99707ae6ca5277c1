"""A study under load: is a response ever lost, and how long does a participant wait?

`python benchmarks/lab_load.py [--people N] [--tasks N] [--think LOW HIGH] [--kills K]
[--systems shared|own] [--database URL] [--json]`

Starts a real `seedo lab --study`, lets simulated participants take part all at once over HTTP
as browsers do (cookies, token against cross-site requests), then reads the database without the
lab and compares it with what every participant was told had been kept. With `--kills`, the lab is
killed with SIGKILL that many times on the way and started again; participants then load their page
again, as people do.

Milliseconds are from sending a response to having read the answer, as the participants see it; they
run in one process on the same machine, and what else it computes meanwhile counts (see its load
average). Bar: 50 participants, 10 tasks each, p95 of steps at most 300 ms, nothing lost.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import math
import os
import random
import re
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from _sizes import sized

from seedo.lab.study import kept, prepare
from seedo.lab.study._session import items

STUDY = """
name = "load"
title = "Under load"
consent = "Do you agree?"
instructions = "Find out what causes what."
tasks = {tasks}
practice = 1
seed = {seed}
systems = "{systems}"
max_participants = 100000

[world]
n = 4
experiments = 5

[[factor]]
name = "names"
levels = ["letters", "contrary"]

[attention]
checks = 1

[[question]]
id = "how"
text = "How did it go?"
"""
START_SECONDS = 120.0
_NO_TLS = ssl.create_default_context()  # made once: it costs as much as a hundred requests
PATIENCE = 60.0
"""Seconds that a participant waits for an answer, and for a lab that is gone to come back."""


class Server:
    """A lab in a process of its own, always at the same address."""

    def __init__(self, folder: Path, database: str | None) -> None:
        self._folder, self._database = folder, database
        self._port, self._process = 0, None
        self.address = ""

    def start(self) -> None:
        """Returns once it answers."""
        words = [sys.executable, "-m", "seedo", "lab", "--no-browse"]
        words += ["--study", str(self._folder / "load.toml"), "--data", str(self._folder / "lab")]
        words += ["--port", str(self._port), "--logs", str(self._folder)]
        words += ["--database", self._database] if self._database else []
        said = self._folder / "said.txt"
        with open(said, "wb") as file:
            environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
            self._process = subprocess.Popen(words, stdout=file, stderr=file, env=environment)
        for _ in range(int(START_SECONDS / 0.05)):
            if found := re.search(r"http://[^/\s]+:(\d+)/", said.read_text(errors="replace")):
                self.address, self._port = found[0].rstrip("/"), int(found[1])
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise SystemExit(f"the lab did not start: {said.read_text(errors='replace')}")

    def cpu_seconds(self) -> float:
        """Of the process that is running now, on all cores (Linux)."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait()


@dataclass
class Person:
    """What one participant did.

    Attributes:
        kept: (item, step) -> (target, value as shown, milliseconds), all that were acknowledged.
        sent: the same of all that were sent.
        seconds: by kind of request, how long each took.
        wrong: anything that a participant should not have met.
    """

    number: int
    resume: str = ""
    kept: dict[tuple[int, int], tuple[int, float, int]] = field(default_factory=dict)
    sent: dict[tuple[int, int], tuple[int, float, int]] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    returns: int = 0
    finished: bool = False


async def take_part(person: Person, server: Server, think: tuple[float, float], seed: int) -> None:
    """From the invitation to the end code."""
    rng = random.Random(f"{seed} {person.number}")
    path = "/api/take/load"
    settings: dict[str, Any] = {"timeout": PATIENCE, "verify": _NO_TLS, "trust_env": False}
    async with httpx.AsyncClient(base_url=server.address, **settings) as browser:

        async def ask(kind: str, method: str, where: str, body: Any = None) -> Any:
            began = time.perf_counter()
            answer = await browser.request(method, where, json=body)
            person.seconds.setdefault(kind, []).append(time.perf_counter() - began)
            answer.raise_for_status()
            return answer

        async def load_page() -> Any:
            """What a person sees who opens the link, again and again until there is a lab."""
            given_up = time.monotonic() + PATIENCE
            while True:
                try:
                    page = await ask("page", "GET", "/take/load")
                    token = re.search(r'<meta name="csrf" content="([0-9a-f]+)">', page.text)
                    assert token is not None
                    browser.headers["x-csrf-token"] = token[1]
                    return (await ask("view", "GET", path)).json()
                except httpx.TransportError:
                    if time.monotonic() > given_up:
                        raise
                    await asyncio.sleep(0.2)

        view = await load_page()
        while view["screen"] != "end":
            person.resume = view.get("resume", person.resume)
            milliseconds = round(1000 * rng.uniform(*think))
            await asyncio.sleep(milliseconds / 1000)
            try:
                view = await _act(person, ask, path, view, milliseconds, rng)
            except httpx.TransportError:
                person.returns += 1
                view = await load_page()
                _compare(person, view)
        person.finished = True


async def _act(
    person: Person, ask: Any, path: str, view: dict[str, Any], milliseconds: int, rng: random.Random
) -> dict[str, Any]:
    """Do what the screen asks for; the next screen."""
    screen = view["screen"]
    if screen == "consent":
        return (await ask("consent", "POST", f"{path}/consent", {"agree": True})).json()
    if screen == "instructions":
        return (await ask("other", "POST", f"{path}/ready")).json()
    if screen == "questions":
        answers = {"answers": {"how": f"person {person.number} says =1+1"}}
        return (await ask("other", "POST", f"{path}/answers", answers)).json()["view"]
    if screen == "check":
        name, end = re.findall(r"variable (\S+) to its (low|high)", view["asked"])[0]
        target = view["names"].index(name)
        value = view["values"][target][0 if end == "low" else -1]
        body = {"item": view["item"], "target": target, "value": value}
        return (await ask("other", "POST", f"{path}/check", body)).json()["view"]
    assert screen == "task", screen
    place = view["item"], view["step"]
    free = [i for i in range(len(view["names"])) if i != view["goal"]]
    target = rng.choice(free)
    value = rng.choice(view["values"][target])
    # Sent again as it was, should the first answer have got lost.
    chosen = person.sent.setdefault(place, (target, value, milliseconds))
    body = dict(zip(("target", "value", "milliseconds"), chosen, strict=True))
    body |= {"item": place[0], "step": place[1]}
    after = (await ask("step", "POST", f"{path}/step", body)).json()
    person.kept[place] = chosen
    return after["view"]


def _compare(person: Person, view: dict[str, Any]) -> None:
    """After a kill: is the participant where they were, or one response further?"""
    if view["screen"] == "consent" and person.resume:
        person.wrong.append("forgotten: asked for consent again")
    if view["screen"] != "task":
        return
    here = view["item"], view["step"]
    if here in person.kept:
        person.wrong.append(f"asked again for {here}, which was acknowledged")
    if len(view["rows"]) != view["step"]:
        person.wrong.append(f"{len(view['rows'])} rows at step {view['step']}")
    sent = {**person.sent, **person.kept}
    for step, row in enumerate(view["rows"]):
        target, value, _ = sent.get((here[0], step), (None, None, None))
        if (row["target"], row["value"]) != (target, value):
            person.wrong.append(f"item {here[0]} step {step} shown otherwise than answered")


async def study(
    server: Server, people: int, think: tuple[float, float], kills: int, seed: int
) -> tuple[list[Person], float]:
    """Everybody at once; the participants and the seconds it took."""
    persons = [Person(number) for number in range(people)]
    began = time.monotonic()
    everybody = asyncio.gather(*(take_part(p, server, think, seed) for p in persons))
    rng = random.Random(seed)

    async def kill() -> None:
        for _ in range(kills):
            before = sum(len(p.kept) for p in persons)
            # At any moment, but not before something has been answered since the last time.
            while sum(len(p.kept) for p in persons) < before + people and not everybody.done():
                await asyncio.sleep(0.02)
            await asyncio.sleep(rng.uniform(0.0, 0.5))
            if everybody.done():
                return
            server.kill()
            await asyncio.to_thread(server.start)

    killing = asyncio.create_task(kill())
    await everybody
    seconds = time.monotonic() - began
    await killing
    return persons, seconds


def lost(folder: Path, database: str | None, persons: list[Person]) -> dict[str, int]:
    """What the database has, read without the lab, against what participants were told."""
    store, config = kept(folder / "load.toml", folder / "lab", database)
    by_secret = {row.resume_hash: row for row in store.participants()}
    found: Counter[str] = Counter(participants=len(by_secret))
    for person in persons:
        row = by_secret.get(hashlib.sha256(person.resume.encode()).hexdigest())
        if row is None:
            found["lost"] += len(person.kept)
            continue
        listed = items(config, row.task_order)
        stored = {(s.task, s.step): s for s in store.steps(row.id)}
        found["stored"] += len(stored)
        found["unasked"] += len(stored) - len(person.sent)
        for (item, step), (target, value, milliseconds) in person.kept.items():
            found["acknowledged"] += 1
            one = stored.get((listed[item].which, step))
            if one is None:
                found["lost"] += 1
                continue
            task = prepare(config.scenario(row.condition, row.number, listed[item].which))
            shown = task.naming.shown_value(one.target, one.value)
            if (one.target, shown, one.milliseconds) != (target, value, milliseconds):
                found["altered"] += 1
        found["finished"] += row.state == "finished"
        found["answers"] += f"person {person.number} says =1+1" in store.answers(row.id).values()
    return {name: found[name] for name in (
        "participants", "finished", "acknowledged", "stored", "answers", "lost", "altered",
        "unasked")}  # fmt: skip


def _milliseconds(seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else []
    p50, p95 = (cuts[49], cuts[94]) if cuts else (seconds[0], seconds[0])
    return {
        "n": len(seconds),
        **{k: round(1000 * v, 1) for k, v in (("p50", p50), ("p95", p95), ("max", max(seconds)))},
    }


def run(options: argparse.Namespace) -> dict[str, Any]:
    """One study, from an empty folder."""
    with tempfile.TemporaryDirectory(prefix="lab-load-") as name:
        folder = Path(name)
        text = STUDY.format(tasks=options.tasks, seed=options.seed, systems=options.systems)
        (folder / "load.toml").write_text(text)
        server = Server(folder, options.database)
        server.start()
        time.sleep(options.settle)
        try:
            think = (options.think[0], options.think[1])
            played = study(server, options.people, think, options.kills, options.seed)
            busy, own = server.cpu_seconds(), time.process_time()
            persons, seconds = asyncio.run(played)
            own = time.process_time() - own
            # A lab that was killed took its count with it.
            busy = math.nan if options.kills else server.cpu_seconds() - busy
        finally:
            server.kill(signal.SIGKILL if options.kills else signal.SIGINT)
        found = lost(folder, options.database, persons)
    times: dict[str, list[float]] = {}
    for person in persons:
        for kind, each in person.seconds.items():
            times.setdefault(kind, []).extend(each)
    return {
        "people": options.people,
        "tasks": options.tasks,
        "systems": options.systems,
        "think_seconds": options.think,
        "database": "postgresql" if options.database else "sqlite",
        "kills": options.kills,
        "times_loaded_again": sum(p.returns for p in persons),
        "seconds": round(seconds, 1),
        "cpu_ms_per_request": {
            name: None
            if math.isnan(used)
            else round(1000 * used / sum(map(len, times.values())), 2)
            for name, used in (("lab", busy), ("participants", own))
        },
        "load_average": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
        "steps_per_second": round(len(times["step"]) / seconds, 1),
        "milliseconds": {kind: _milliseconds(each) for kind, each in sorted(times.items())},
        **found,
        "wrong": [line for p in persons for line in p.wrong][:10],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--tasks", type=int, default=10)
    parser.add_argument("--think", type=float, nargs=2, default=[0.0, 0.0], metavar="SECONDS")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--systems", choices=("shared", "own"), default="shared")
    parser.add_argument("--database", help="SQLAlchemy URL; default an SQLite file")
    parser.add_argument("--settle", type=float, default=0.0, help="seconds before anybody comes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = sized(parser, people=2, tasks=1)
    found = run(options)
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        if name == "milliseconds":
            for kind, figures in value.items():
                shown = "  ".join(f"{k} {v:g}" for k, v in figures.items())
                print(f"{kind:>14} ms: {shown}")
        else:
            print(f"{name:>18}: {value}")


if __name__ == "__main__":
    main()
