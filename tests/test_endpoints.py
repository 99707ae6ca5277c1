"""Endpoints outside of this process: what is right comes through, what is wrong is named."""

import http.server
import json
import math
import selectors
import shlex
import socket
import socketserver
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from seedo.errors import UserError
from seedo.worlds.external import EndpointError, open_endpoint

GOOD = {"knobs": {"x": {"low": 0, "high": 1}}, "readings": ["y"], "goals": {"y": "maximize"}}


class Fake(http.server.BaseHTTPRequestHandler):
    """Answers as `server.answer` says: (status, headers, body), or a function of the handler."""

    def do_GET(self):
        self.reply(self.server.spec)

    def do_POST(self):
        size = int(self.headers.get("Content-Length", 0))
        self.server.heard.append((self.path, json.loads(self.rfile.read(size)), dict(self.headers)))
        self.reply(self.server.answer)

    def reply(self, answer):
        if callable(answer):
            answer(self)
            return
        status, headers, body = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_):
        pass  # whoever was answered hung up


@contextmanager
def serving(answer, spec=None):
    server = Server(("127.0.0.1", 0), Fake)
    server.answer, server.heard = answer, []
    server.spec = (200, {}, json.dumps(GOOD).encode()) if spec is None else spec
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def listening(speak):
    """A socket that answers a connection by `speak`."""
    with socket.create_server(("127.0.0.1", 0)) as sock:

        def serve():
            connection, _ = sock.accept()
            with connection:
                connection.recv(65536)
                speak(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


def body(text):
    return (200, {"Content-Type": "application/json"}, text.encode())


def drip(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    for _ in range(50):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def cut(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b'{"y": 1')


BAD_REPLIES = {
    "late": (lambda h: time.sleep(2), "no whole reply within 0.3 s"),
    "slow": (drip, "no whole reply within 0.3 s"),
    "cut short": (cut, "its reply ended early"),
    "huge": (body('{"y": 1, "z": "' + "a" * 1_100_000 + '"}'), "larger than 1,000,000 bytes"),
    "redirects": ((302, {"Location": "http://example.org/"}, b""), "redirects to http://example"),
    "not found": ((404, {}, b"<h1>no\x1b[31m</h1>"), "HTTP status 404: <h1>no [31m</h1>"),
    "broken": ((500, {}, b""), "HTTP status 500"),
    "a page": (body("<html><body>hello</body></html>"), "no JSON: '<html><body>hello"),
    "nothing": (body(""), "its reply is empty"),
    "no text": ((200, {}, b"\xff\xfe\x00"), "no text (UTF-8)"),
    "a list": (body("[1]"), "a list, where a JSON object belongs"),
    "a number": (body("3"), "a number, where a JSON object belongs"),
    "deep": (body("[" * 100_000), "no JSON"),
    "twice": (body('{"y": 1, "y": 2}'), "names 'y' twice"),
    "NaN": (body('{"y": NaN}'), "reading y is nan, no finite number"),
    "infinite": (body('{"y": -Infinity}'), "reading y is -inf, no finite number"),
    "too large a number": (body('{"y": 1' + "0" * 400 + "}"), "reading y is inf"),
    "a text for a number": (body('{"y": "12"}'), "reading y is a text ('12'), where a number"),
    "yes for a number": (body('{"y": true}'), "reading y is true or false, where a number"),
    "several for one": (body('{"y": [1, 2]}'), "reading y is a list, where a number belongs"),
    "another reading": (body('{"Y": 1}'), "reading y is missing: it gave Y"),
}


@pytest.mark.parametrize("name", BAD_REPLIES)
def test_a_bad_reply_over_http_is_one_clear_line(name):
    answer, told = BAD_REPLIES[name]
    with serving(answer) as (address, server), open_endpoint(address, 0.3) as endpoint:
        assert endpoint.spec() == GOOD
        with pytest.raises(EndpointError) as error:
            endpoint.run({"x": 0.5}, ["y"])
        assert len(server.heard) == 1  # a run is never asked for twice
    assert told in str(error.value)
    assert str(error.value).startswith(address)
    assert "\n" not in str(error.value)
    assert str(error.value).isprintable()


SPEAKERS = {
    "hangs up": (lambda c: None, "hung up"),
    "speaks otherwise": (lambda c: c.sendall(b"SSH-2.0-OpenSSH\r\n\r\n"), "does not speak HTTP"),
    "endless headers": (
        lambda c: c.sendall(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n"),
        "does not speak HTTP",
    ),
}


@pytest.mark.parametrize("name", SPEAKERS)
def test_what_is_no_http_is_one_clear_line(name):
    speak, told = SPEAKERS[name]
    with listening(speak) as address, pytest.raises(EndpointError, match=told):
        open_endpoint(address, 1.0, described=False).run({"x": 1}, ["y"])


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    with pytest.raises(EndpointError, match="nobody listens there"):
        open_endpoint(f"http://127.0.0.1:{port}").spec()


COMMANDS = {
    "late": ("import time; time.sleep(9)", "no whole reply within 1 s: it was stopped"),
    "dies": ("import os; os.abort()", "killed by SIGABRT"),
    "fails": ("raise SystemExit('no sample')", "ended with exit code 1: no sample"),
    "prints": ("print('ready'); print('{\"y\": 1}')", "no JSON: 'ready {"),
    "huge": ("print('a' * 2_000_000)", "larger than 1,000,000 bytes"),
    "lies": ('print(\'{"y": null, "x": 1}\'[:-1] + \', "z": Infinity\')', "no JSON"),
}


def python(code):
    return f"cmd:{shlex.join([sys.executable, '-S', '-c', code])}"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_bad_command_is_one_clear_line(name):
    code, told = COMMANDS[name]
    with pytest.raises(EndpointError, match=None) as error:
        open_endpoint(python(code), 1.0).run({"x": 0.5}, ["y"])
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_a_command_that_is_not_there():
    with pytest.raises(EndpointError, match="cannot be started: No such file"):
        open_endpoint("cmd:seedo-no-such-command").spec()


GUESTS = '''
import ctypes, os, sys, time

GOOD = {"knobs": {"x": {"low": 0, "high": 1}}, "readings": ["y"], "goals": {"y": "maximize"}}

def rig(run):
    return lambda: GOOD | {"run": run}

good = rig(lambda setting, seed: {"y": setting["x"] + seed})
prints = rig(lambda setting: print("hello") or {"y": 1})
asks = rig(lambda setting: {"y": len(sys.stdin.read())})
raises = rig(lambda setting: {"y": 1 / 0})
leaves = rig(lambda setting: os._exit(3))
crashes = rig(lambda setting: ctypes.string_at(0))
quits = rig(lambda setting: sys.exit("tired"))
hangs = rig(lambda setting: time.sleep(9))
nothing = rig(lambda setting: None)
array = rig(lambda setting: {"y": object()})
no_run = lambda: GOOD

def count(setting, made=[0]):
    made[0] += 1
    return {"y": made[0]}

class Rig:
    """Made by calling it."""
    knobs, readings, goals = GOOD["knobs"], GOOD["readings"], GOOD["goals"]

    def __init__(self, offset="0"):
        self.offset = float(offset)

    def run(self, setting):
        return {"y": setting["x"] + self.offset}
'''


@pytest.fixture
def guests(tmp_path, monkeypatch):
    (tmp_path / "seedo_guests.py").write_text(GUESTS)
    monkeypatch.chdir(tmp_path)


BAD_GUESTS = {
    "raises": "ZeroDivisionError: division by zero",
    "leaves": "its process died: it ended with exit code 3",
    "crashes": "its process died: it was killed by SIGSEGV",
    "quits": "its process died: it ended with exit code 1: tired",
    "hangs": "no reply within 0.3 s: it was stopped",
    "nothing": "it gave None, where names with values belong",
    "array": "TypeError: object cannot be told as JSON",
    "no_run": "gave dict without a function `run`",
    "missing": "has no attribute 'missing'",
}


@pytest.mark.parametrize("name", BAD_GUESTS)
def test_a_bad_python_factory_is_one_clear_line(name, guests):
    with (
        open_endpoint(f"python:seedo_guests:{name}", 0.3) as endpoint,
        pytest.raises(EndpointError) as error,
    ):
        endpoint.run({"x": 0.5}, ["y"])
    assert BAD_GUESTS[name] in str(error.value)
    assert "\n" not in str(error.value)


def test_python_factories_functions_and_classes(guests):
    with open_endpoint("python:seedo_guests:good") as endpoint:
        assert endpoint.spec() == GOOD
        assert endpoint.run({"x": 0.5}, ["y"], seed=2) == {"y": 2.5}
    with open_endpoint("python:seedo_guests:prints") as endpoint:
        assert endpoint.run({"x": 0.5}, ["y"]) == {"y": 1.0}
    with open_endpoint("python:seedo_guests:asks") as endpoint:
        assert endpoint.run({"x": 0.5}, ["y"]) == {"y": 0.0}  # it cannot read what is not its own
    with open_endpoint("python:seedo_guests:Rig:4") as endpoint:
        assert endpoint.spec() == GOOD
        assert endpoint.run({"x": 0.5}, ["y"]) == {"y": 4.5}
    with open_endpoint("python:seedo_guests:count", described=False) as endpoint:
        made = [endpoint.run({}, ["y"])["y"] for _ in range(3)]
    assert made == [1, 2, 3]  # one process


def test_a_process_that_died_is_started_anew(guests):
    with open_endpoint("python:seedo_guests:leaves", 5) as endpoint:
        for _ in range(2):
            with pytest.raises(EndpointError, match="exit code 3"):
                endpoint.run({"x": 0.5}, ["y"])
        assert endpoint.spec() == GOOD


def test_what_is_right_comes_through():
    with serving(body('{"y": null, "z": 1.5}')) as (address, server):
        found = open_endpoint(address).run({"x": 0.5, "ligand": "L1"}, ["y", "z"], seed=7)
        bare = open_endpoint(f"{address}/measure?rig=1", described=False).run({"x": 1}, ["z"])
    assert math.isnan(found["y"])
    assert (found["z"], bare["z"]) == (1.5, 1.5)
    (path, setting, headers), (other, *_) = server.heard
    assert (path, setting, headers["Seedo-Seed"]) == ("/run", {"x": 0.5, "ligand": "L1"}, "7")
    assert other == "/measure?rig=1"
    code = "import json, os, sys; print(json.dumps({'y': json.load(sys.stdin)['x'], 's': int(os."
    code += "environ['SEEDO_SEED'])}))"
    command = open_endpoint(python(code), described=False)
    assert command.run({"x": 0.5}, ["y", "s"], seed=3) == {"y": 0.5, "s": 3.0}


def test_a_command_that_leaves_something_running_is_not_waited_for():
    begun = time.monotonic()
    endpoint = open_endpoint("cmd:sh -c 'sleep 30 & echo \"{}\"'", 20)
    assert endpoint.run({}, []) == {}
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("ftp://example.org", "use http://"),
        ("http://", "write it like"),
        ("http://a b", "write it like"),
        ("http://127.0.0.1:99999", "write it like"),
        ("http://me:secret@127.0.0.1", "leave name and password out"),
        ("cmd:", "give a command"),
        ("cmd:python 'rig", "close the quotation mark"),
        ("python:rig", "use http://"),
        ("gym:", "give an environment"),
    ],
)
def test_targets_that_cannot_be(target, told):
    with pytest.raises(UserError, match=told) as error:
        open_endpoint(target)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("timeout", [0, -1, math.nan, math.inf, "5", True])
def test_timeouts_that_cannot_be(timeout):
    with pytest.raises(UserError, match="give a number of seconds above 0"):
        open_endpoint("cmd:true", timeout)


def test_gymnasium_environments_as_endpoints():
    with open_endpoint("gym:Pendulum-v1?steps=5") as endpoint:
        assert endpoint.spec()["knobs"] == {"action": {"type": "real", "low": -2.0, "high": 2.0}}
        readings = endpoint.spec()["readings"]
        first, again = (endpoint.run({"action": 0.5}, readings, seed=4) for _ in range(2))
        other = endpoint.run({"action": 0.5}, readings, seed=5)
    assert first == again != other
    assert first["reward"] < 0
    with open_endpoint("gym:CartPole-v1") as endpoint:
        assert endpoint.spec()["knobs"] == {"action": {"type": "categorical", "levels": ["0", "1"]}}
        assert 5 < endpoint.run({"action": "1"}, ["reward"], seed=0)["reward"] < 15  # it falls
    for name, told in (("No-v0", "doesn't exist"), ("Pendulum-v1?speed=2", "only steps=")):
        with open_endpoint(f"gym:{name}") as endpoint, pytest.raises(EndpointError, match=told):
            endpoint.spec()


def test_a_reply_that_comes_just_as_the_command_ends_is_read(monkeypatch):
    class Late(selectors.DefaultSelector):
        """Sees nothing at first, and meanwhile the command writes and ends."""

        looks = 0

        def select(self, timeout=None):
            Late.looks += 1
            if Late.looks == 1:
                time.sleep(0.5)
                return []
            return super().select(timeout)

    monkeypatch.setattr(selectors, "DefaultSelector", Late)
    with open_endpoint("""cmd:echo '{"y": 1.5}'""", described=False) as endpoint:
        assert endpoint.run({}, ["y"]) == {"y": 1.5}
