"""Whatever arrives, the lab answers, and never with a mistake of its own."""

import itertools
import json
import random
import re
import time
from dataclasses import dataclass, field

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from lab_client import visitor
from seedo.experimenters import scripted
from seedo.lab import Scenario, decode, encode
from seedo.lab._security import VISITOR
from seedo.lab.study import EXAMPLE
from seedo.play import perform
from seedo.worlds import configure, make

SECONDS = 6  # for all operations together, in the default suite

CODE = encode(Scenario(configure(n=3, experiments=50)))

# As text, since some are no JSON, and some no Python number.
HOSTILE = (
    "null", "true", "0", "-1", '""', "[]", "{}", "1e400", "-0.0", "NaN", "Infinity", "-Infinity",
    "9" * 400, "9" * 5000, "1e-400", "0.5", str(2**31), str(2**63), str(2**64), str(-(2**63) - 1),
    '"\\ud800"', '"\\u0000"', '"\\u202e\\u2028"', '"' + "x" * 100_000 + '"', '"../../etc/passwd"',
    '"=cmd()"', '"<script>alert(1)</script>"', '"\'; drop table games; --"', '"{{7*7}}"', '"%s%n"',
    "[" * 90_000, "[" * 500 + "]" * 500, '{"a":' * 500 + "1" + "}" * 500, '{"\\ud800": 1}',
    '{"__proto__": {}, "__class__": 1}', "[" + "1," * 50_000 + "1]",
)  # fmt: skip
SEGMENTS = (
    "0", "-1", "9" * 30, "1e5", "%00", "%ff%fe", "%2e%2e", "..%2f..%2fetc%2fpasswd", "x" * 3000,
    "%F0%9F%92%A9", "%ED%A0%80", "%27%3B--", "nan", "true", "%20", "*", "%25", "a%0d%0ab",
)  # fmt: skip


@dataclass
class Target:
    """A lab, and what it gave away so far that leads deeper into it."""

    browser: object
    known: dict = field(default_factory=dict)  # by field: something that can be used
    names: list = field(default_factory=list)  # of games, jobs, participants: for paths
    bodies: dict = field(default_factory=dict)  # by operation: one that was taken, if any was

    def ask(self, method, url, **request):
        try:
            answer = self.browser.request(method, url, **request)
        except httpx2.InvalidURL:  # too long for this client, which no server is to blame for
            return None
        assert answer.status_code < 500, (method, url, str(request)[:500], answer.text[:200])
        if 400 <= answer.status_code and "/api/" in url:
            assert len(answer.json()["error"].splitlines()) == 1
            assert len(answer.json()["error"]) < 1000
        return answer

    def operations(self):
        """Those without a name in their path first: they may give one away."""
        schema = schemathesis.openapi.from_dict(self.browser.get("/openapi.json").json())
        found = [result.ok() for result in schema.get_all_operations()]
        return sorted(found, key=lambda operation: (operation.path.count("{"), operation.path))


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    logs = tmp_path_factory.mktemp("logs")
    perform(make("dag", n=3), scripted("random"), 20, 3, logs / "run")
    target = Target(visitor(tmp_path_factory.mktemp("lab"), logs=(logs,), study=EXAMPLE))
    target.names += ["causes-example"]
    return target


def test_every_operation_is_where_scripts_look_for_it(target):
    for operation in target.operations():
        assert operation.path.startswith("/api/")


def test_whatever_the_schema_allows_or_forbids_there_is_no_server_error(target):
    by_schema(target, examples=4, seconds=SECONDS)


def test_what_no_schema_speaks_of_is_answered_too(target):
    by_hand(target, every=19)


@pytest.mark.slow
def test_more_of_it_brings_no_server_error_either(target):
    # Where the default suite stops at the door, since what lies behind has to be compiled.
    target.known |= {
        "s": CODE,
        "text": json.dumps(decode(CODE).to_json()),
        "log": target.ask("GET", "/api/look/logs").json()["logs"][0]["key"],
        "at": "0.0",
        "question": "effect",
        "player": "scripted:random",
        "target": 0,
        "value": 2.0,
        "step": 0,
        "item": 0,
        "agree": True,
    }
    by_schema(target, examples=300, seconds=900)
    by_hand(target, every=1)
    by_query(target, every=1)


def by_schema(target, examples, seconds):
    """Cases that keep to an operation's schema and cases that break it."""
    operations = target.operations()
    for operation in operations:
        one_operation(target, operation, examples, time.monotonic() + seconds / len(operations))


def one_operation(target, operation, examples, until):
    cases = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(*cases), turn=st.integers(0, 10**6))
    def send(case, turn):
        if time.monotonic() > until:
            return
        dice = random.Random(turn)
        for part in (case.path_parameters, case.query, case.body):
            for name in part if isinstance(part, dict) else ():
                choices = target.names if part is case.path_parameters else target.known.get(name)
                if choices is not None and dice.random() < 0.7:
                    part[name] = dice.choice(choices) if isinstance(choices, list) else choices
        remember(target, operation, case, target.ask(**as_request(case)))

    send()


def as_request(case):
    """What the case sends, in httpx's words; it sends the visitor's own cookie and token."""
    wanted = case.as_transport_kwargs(base_url="http://localhost")
    request = {"method": wanted["method"], "url": wanted["url"], "params": wanted.get("params")}
    body = wanted.get("data") if "json" not in wanted else json.dumps(wanted["json"])
    if body is not None:
        request["content"] = body if isinstance(body, bytes | str) else str(body)
        request["headers"] = {"Content-Type": case.media_type or "application/json"}
    return request


def remember(target, operation, case, answer):
    if answer is None:
        return
    if isinstance(case.body, dict):
        if answer.status_code < 300 or operation.label not in target.bodies:
            target.bodies[operation.label] = case.body
    if answer.status_code < 300 and answer.headers.get("content-type") == "application/json":
        for value in found(answer.json()):
            if value not in target.names and len(target.names) < 200:
                target.names.append(value)


def found(plain):
    """Texts that look like names of things."""
    if isinstance(plain, dict):
        for value in plain.values():
            yield from found(value)
    elif isinstance(plain, str) and re.fullmatch(r"[\w-]{6,64}", plain):
        yield plain


def by_hand(target, every):
    """Hostile values in the place of bodies, of fields of bodies, in paths and queries."""
    turn = itertools.count()
    as_json = {"Content-Type": "application/json"}
    for operation in target.operations():
        url = re.sub(r"{\w+}", (target.names or ["x"])[0], operation.path)
        method = operation.method.upper()
        fields = target.bodies.get(operation.label, {})
        texts = list(HOSTILE)
        for name, value in itertools.product(fields, HOSTILE):
            rest = json.dumps({k: v for k, v in fields.items() if k != name})
            texts.append(f"{rest[:-1]}{', ' if len(rest) > 2 else ''}{json.dumps(name)}: {value}}}")
        for text in texts:
            if next(turn) % every == 0 and method != "GET":
                target.ask(method, url, content=text, headers=as_json)
        for kind in ("text/plain", "application/xml", "multipart/form-data", "x" * 200, "\xff"):
            if next(turn) % every == 0 and method != "GET":
                headers = {"Content-Type": kind.encode("latin-1")}
                target.ask(method, url, content=b"\x00\xff{", headers=headers)
        for segment in SEGMENTS:
            if next(turn) % every == 0:
                path = re.sub(r"{\w+}", lambda match, s=segment: s, operation.path)
                target.ask(method, path)
                names = [p["name"] for p in operation.definition.raw.get("parameters", [])]
                target.ask(method, f"{url}?" + "&".join(f"{n}={segment}" for n in names))


def test_pages_answer_to_any_query(target):
    by_query(target, every=5)


def by_query(target, every):
    """Hostile values in the queries of pages."""
    turn = itertools.count()
    for page in (
        "/",
        "/build",
        "/play",
        "/watch",
        "/compare",
        "/look",
        "/data",
        "/study",
        "/take/x",
    ):
        for name in ("s", "challenge", "log", "episode", "path", "run", "job", "token", "q"):
            for segment in SEGMENTS[::4] if name != "s" else SEGMENTS:
                if next(turn) % every:
                    continue
                target.ask("GET", f"{page}?{name}={segment}")
        target.ask("GET", f"{page}?" + "&".join(f"a{i}=1" for i in range(3000)))


@pytest.mark.parametrize("cookie", [f"{VISITOR}=" + "a" * 60_000, "=;=;;", "\x00=\x01", "a" * 99])
def test_any_cookie_is_answered(target, cookie):
    target.ask("GET", "/", headers={"cookie": cookie.encode("latin-1")})
