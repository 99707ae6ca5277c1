"""An S3 server on this machine for tests, and what can go wrong on the way to it."""

from __future__ import annotations

import http.client
import random
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

BUCKET = "bucket"
KEYS = {
    "AWS_ACCESS_KEY_ID": "a-key",
    "AWS_SECRET_ACCESS_KEY": "a-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(scope="session")
def s3_server():
    """The address of an S3 server with one bucket; `moto` keeps all in memory."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        import boto3

        boto3.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket=BUCKET)
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server, monkeypatch, tmp_path, request):
    """The address of a folder of its own in the store, with the environment that leads there."""
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": s3_server}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("SEEDO_STORE_SECONDS", "20")
    return f"s3://{BUCKET}/{request.node.name.replace('[', '-').rstrip(']')}"


class _Faulty(BaseHTTPRequestHandler):
    """Hands requests on, or does what its server's `fault` says of them."""

    protocol_version = "HTTP/1.1"

    def _any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.fault(self.command, self.path)
        if fault == "tear":
            fault, body = "", body[: len(body) // 2]
        if fault == "slow":
            time.sleep(0.3)
        if fault[:1].isdigit():
            self._say(int(fault[:3]), _error(fault))
            return
        if fault == "close":
            self.close_connection = True
            return
        inner = http.client.HTTPConnection(*self.server.inner, timeout=30)
        headers = {k: v for k, v in self.headers.items() if k.lower() != "content-length"}
        inner.request(self.command, self.path, body, headers | {"Content-Length": str(len(body))})
        answer = inner.getresponse()
        found = answer.read()
        if fault == "lost":  # it was done, and nobody hears of it
            self._say(500, _error("500"))
            return
        if fault == "cut" and found:
            self._say(answer.status, found[: len(found) // 2], answer.headers, len(found))
            self.close_connection = True
            return
        self._say(answer.status, found, answer.headers)

    def _say(self, status, body, headers=None, length=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            kept = ("content-length", "connection", "server", "date", "transfer-encoding")
            if name.lower() not in kept:
                self.send_header(name, value)
        size = (headers or {}).get("Content-Length", "0") if self.command == "HEAD" else len(body)
        self.send_header("Content-Length", str(length or size))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _any

    def log_message(self, *said):
        pass


def _error(fault):
    """What S3 says with a status: 500, 503, or any with the code that follows it."""
    code = {"500": "InternalError", "503": "SlowDown"}.get(fault) or fault[4:]
    return f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()


@contextmanager
def between(address, fault):
    """The address of a proxy to the server at `address`.

    `fault(command, path)` says what happens to a request: "" (nothing), 500, 503, `403 Code`, slow,
    close (no answer), tear (of a body half arrives), lost (done, and answered with 500), cut (half
    of an answer arrives).
    """
    host, _, port = address.removeprefix("http://").partition(":")
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), _Faulty)
    proxy.daemon_threads = True
    proxy.inner, proxy.fault = (host, int(port)), fault
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{proxy.server_address[1]}"
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()


FAULTS = ("500", "503", "slow", "close", "tear", "lost", "cut")


def by_chance(seed, share=0.3):
    """Faults of every kind in this share of requests, and what was done so far by kind."""
    rng, lock = random.Random(seed), threading.Lock()
    done = dict.fromkeys(FAULTS, 0)

    def fault(command, path):
        with lock:
            if rng.random() >= share:
                return ""
            kind = rng.choice(FAULTS)
            if kind == "tear" and command != "PUT":
                kind = "500"
            if kind == "cut" and command != "GET":
                kind = "503"
            done[kind] += 1
            return kind

    return fault, done
