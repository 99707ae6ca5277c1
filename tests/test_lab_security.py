"""Who may ask the lab, from where, and how much."""

import asyncio
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from starlette.responses import PlainTextResponse, StreamingResponse

from lab_client import client, csrf, visitor
from lab_server import running
from seedo.errors import UserError
from seedo.lab import LabSettings, _security, _serve, create_app, serve
from seedo.lab._security import CSRF_HEADER, MOST_BODY, RESEARCHER, VISITOR

TOKEN = "correct-horse-battery"
PATHS = ("/", "/build", "/play", "/watch", "/compare", "/look", "/study", "/openapi.json")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """As on a laptop: loopback, no token; two more addresses, of a part with mistakes."""
    browser = visitor(tmp_path_factory.mktemp("lab"))

    @browser.app.post("/api/echo")
    async def echo(request: _security.Request):
        return PlainTextResponse(await request.body())

    @browser.app.get("/api/mistake")
    def mistake():
        raise ZeroDivisionError("secret detail")

    return browser


@pytest.fixture(scope="module")
def open_lab(tmp_path_factory):
    """As in a computer room: every interface, with a token; nobody has shown it yet."""
    return client(tmp_path_factory.mktemp("open"), host="0.0.0.0", token=TOKEN)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Host and port of a lab with a token that really listens, and how a participant's request
    begins."""
    folder = tmp_path_factory.mktemp("served")
    with running(folder, token=TOKEN) as address:
        host, port = address.removeprefix("http://").split(":")
        visitor = "0" * 32
        proof = _security.Keys(folder).sign("csrf", visitor)
        yield (
            host,
            port,
            (
                f"POST /api/take/nothing/nothing HTTP/1.1\r\nHost: {host}\r\n"
                f"Cookie: {VISITOR}={visitor}\r\n{CSRF_HEADER}: {proof}\r\n"
            ),
        )


# --- from where ---


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8787", "127.0.0.1:8787", "[::1]:8787", "127.0.0.1"]
)
def test_the_lab_answers_to_its_own_names(lab, host):
    assert lab.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8787", "localhost.evil.example", "127.0.0.1.evil.example",
     "localhost@evil.example", "evil.example#localhost", "192.168.1.7", "[::2]", "[::1", "",
     "localhost:", "localhost:99999999", "localhost, evil.example", "localhost\\evil"],
)  # fmt: skip
def test_a_name_that_was_made_to_point_here_is_refused(lab, host):
    answer = lab.get("/", headers={"host": host})
    assert answer.status_code == 400
    assert VISITOR not in answer.cookies


def test_a_lab_that_listens_everywhere_answers_to_addresses_but_not_to_strange_names(open_lab):
    mine = socket.gethostname()
    for host, status in (("192.168.1.7:8787", 200), ("[fe80::1]:80", 200), (mine, 200),
                         ("evil.example", 400), ("", 400), ("1.2.3.4.evil.com", 400)):  # fmt: skip
        answer = open_lab.get("/static/lab.css", headers={"host": host})
        assert answer.status_code == status, host


def test_a_lab_behind_a_proxy_answers_to_the_public_name(tmp_path):
    lab = client(tmp_path, token=TOKEN, public="https://study.example.org")
    page = lab.get(
        f"/?token={TOKEN}", headers={"host": "study.example.org", "x-forwarded-for": "9.9.9.9"}
    )
    assert page.status_code == 303
    assert lab.get("/static/lab.css", headers={"host": "other.example.org"}).status_code == 400


def test_a_lab_without_a_token_does_not_answer_through_a_proxy(lab):
    for header in ("X-Forwarded-For", "Forwarded"):
        answer = lab.get("/", headers={header: "for=9.9.9.9"})
        assert (answer.status_code, "--token" in answer.text) == (403, True)


@pytest.mark.parametrize(
    "origin",
    ["null", "http://evil.example", "http://localhost:9999", "http://localhost.evil.example",
     "http://127.0.0.1", "localhost", "file://", ""],
)  # fmt: skip
def test_a_page_from_elsewhere_can_change_nothing(lab, origin):
    for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "QUERY", "post"):
        answer = lab.request(method, "/api/echo", headers={"origin": origin})
        assert answer.status_code == 403, method


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "nonsense"])
def test_what_the_browser_says_of_the_asking_page_is_believed(lab, site):
    assert lab.post("/api/echo", headers={"sec-fetch-site": site}).status_code == 403


def test_another_site_may_link_to_a_page_but_not_fetch_data(lab):
    for site, page, data in (("cross-site", 200, 403), ("same-site", 200, 403), ("none", 200, 404)):
        headers = {"sec-fetch-site": site}
        assert lab.get("/", headers=headers).status_code == page
        assert lab.get("/api/nothing", headers=headers).status_code == data


def test_no_origin_is_told_that_it_may_read(lab):
    asking = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    answer = lab.options("/api/echo", headers=asking)
    assert not [name for name in answer.headers if name.startswith("access-control")]


# --- who ---


def test_what_changes_something_needs_this_visitors_token(lab, tmp_path):
    mine = lab.headers[CSRF_HEADER]
    other = visitor(tmp_path).headers[CSRF_HEADER]  # of another lab, and another visitor
    own = "http://localhost"
    for proof, status in ((mine, 200), (other, 403), ("", 403), ("é" * 64, 403), (mine[:-1], 403)):
        answer = lab.post("/api/echo", headers={CSRF_HEADER: proof.encode(), "origin": own})
        assert answer.status_code == status
    assert lab.post("/api/echo", content=mine, headers={CSRF_HEADER: ""}).status_code == 403


@pytest.mark.parametrize(
    "cookie", ["", "0" * 31, "0" * 33, "G" * 32, "../../etc/passwd", "'; drop table x; --", "\x80"]
)
def test_a_visitor_cookie_that_the_lab_did_not_make_is_replaced(tmp_path, cookie):
    lab = client(tmp_path)
    answer = lab.get("/", headers={"cookie": f"{VISITOR}={cookie}".encode("latin-1")})
    assert re.fullmatch("[0-9a-f]{32}", answer.cookies[VISITOR])


def test_a_neighbours_strange_cookie_does_not_hide_ours(lab):
    mine = lab.cookies[VISITOR]
    for strange in ('{"a": "b,c"}', "a b=c d", '"', "x=" + "y" * 5000):
        answer = lab.get("/", headers={"cookie": f"z={strange}; {VISITOR}={mine}; q={strange}"})
        assert VISITOR not in answer.cookies
        assert csrf(answer.text) == lab.headers[CSRF_HEADER]


def test_scripts_cannot_read_the_cookies(tmp_path, open_lab):
    for answer in (client(tmp_path).get("/"), open_lab.get(f"/?token={TOKEN}")):
        for cookie in answer.headers.get_list("set-cookie"):
            assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    open_lab.cookies.clear()


def test_over_https_cookies_stay_there(tmp_path):
    lab = client(tmp_path)
    lab.base_url = "https://localhost"
    assert lab.get("/").headers["set-cookie"].endswith("; Secure")


def test_without_the_token_only_what_participants_need_is_open(open_lab):
    for path in (*PATHS, "/docs", "/redoc", "/api/play/x", "/taken", "/api/taken", "/nothing"):
        for headers in ({}, {"cookie": f"{RESEARCHER}=1"}, {"cookie": f"{RESEARCHER}={'0' * 64}"}):
            answer = open_lab.get(path, headers=headers)
            assert answer.status_code == 401, path
            assert "<nav" not in answer.text, "a menu of what is closed"
    for path in ("/?token=", "/?token=wrong-horse-battery", f"/?tokens={TOKEN}", "/?token=%ff"):
        assert open_lab.get(path).status_code == 401, path
    assert open_lab.get("/static/lab.css").status_code == 200
    assert open_lab.get("/take/nothing").status_code == 404


def test_who_shows_the_token_once_is_let_in_and_the_token_leaves_the_address(tmp_path):
    lab = client(tmp_path, host="0.0.0.0", token=TOKEN)
    answer = lab.get(f"/build?s=a%2Bb&token={TOKEN}&x=")
    assert (answer.status_code, answer.headers["location"]) == (303, "/build?s=a%2Bb&x=")
    assert TOKEN not in str(answer.headers)
    assert lab.get("/").status_code == 200
    assert lab.get(f"/?token={TOKEN}").headers["location"] == "/", "and again on a second click"


def test_another_token_closes_the_door_to_who_knew_the_last(tmp_path):
    lab = client(tmp_path, host="0.0.0.0", token=TOKEN)
    lab.get(f"/?token={TOKEN}")
    again = client(tmp_path, host="0.0.0.0", token=TOKEN + "-2")
    again.cookies = lab.cookies
    assert again.get("/").status_code == 401


@pytest.mark.parametrize("path", ["//evil.example", "/%5Cevil.example", "/%2Fevil.example",
                                  "/\\evil.example", "/%0d%0aSet-Cookie:a=b", "///evil.example/",
                                  "/.//evil.example"])  # fmt: skip
def test_the_redirect_never_leads_away(open_lab, path):
    answer = open_lab.get(f"http://localhost{path}?token={TOKEN}")
    assert answer.status_code == 404
    assert "location" not in answer.headers


# --- what ---


@pytest.mark.parametrize(
    "path",
    ["/static/../_security.py", "/static/%2e%2e/_security.py", "/static/..%2f_security.py",
     "/static/..%5c_security.py", "/static//etc/passwd", "/static/%2Fetc/passwd", "/static/%00",
     "/take/../build", "/take/%2e%2e/build", "/take/..%2fbuild", "/static/%2e%2e%2fbuild",
     "/static/" + "a" * 5000, "/static/%ff%fe", "/static/", "/static", "/static/.", "/take/./x"],
)  # fmt: skip
def test_a_path_cannot_climb_out(served, path):
    host, port, _ = served
    status, body = _raw(host, port, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")
    assert status in (400, 401, 404)
    assert "import" not in body
    assert "root:" not in body


def test_every_answer_carries_the_policy(lab, open_lab):
    for answer in (
        lab.get("/"), lab.get("/nothing"), lab.get("/static/lab.js"), lab.get("/api/mistake"),
        lab.get("/", headers={"host": "evil.example"}), open_lab.get("/"), lab.get("/openapi.json"),
        lab.post("/api/echo", content=b"x" * (MOST_BODY + 1)),
    ):  # fmt: skip
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"] in ("no-store", "no-cache")


def test_a_mistake_of_the_lab_is_one_line_outside_and_a_traceback_inside(lab, caplog):
    answer = lab.get("/api/mistake")
    assert answer.status_code == 500
    assert answer.json() == {
        "error": "the lab made a mistake; its terminal says which",
        "field": "",
    }
    assert "ZeroDivisionError: secret detail" in caplog.text


def test_a_body_may_be_so_large_and_no_larger(lab):
    assert lab.post("/api/echo", content=b"x" * MOST_BODY).status_code == 200
    assert lab.post("/api/echo", content=b"x" * (MOST_BODY + 1)).status_code == 413
    for length in ("-1", "²", "1e3", "9" * 30):
        answer = lab.post("/api/echo", headers={"content-length": length.encode()})
        assert answer.status_code == 413


def test_a_body_in_chunks_is_measured_too(served):
    host, port, head = served
    head = head + "Transfer-Encoding: chunked\r\n\r\n"
    chunk = "10000\r\n" + "x" * 0x10000 + "\r\n"
    assert _raw(host, port, head + chunk * 16 + "0\r\n\r\n")[0] == 404
    assert _raw(host, port, head + chunk * 17)[0] == 413


def test_a_body_that_does_not_arrive_is_given_up(served, monkeypatch):
    monkeypatch.setattr(_security, "BODY_SECONDS", 0.2)
    host, port, head = served
    assert _raw(host, port, head + "Content-Length: 10\r\n\r\nabc")[0] == 408


def test_a_client_that_does_not_say_what_it_wants_is_hung_up_on(monkeypatch):
    monkeypatch.setattr(_serve, "HEADER_SECONDS", 0.3)

    async def app(scope, receive, send):
        async def slowly():
            await asyncio.sleep(0.6)  # a slow answer is not a slow question
            yield b"done"

        await StreamingResponse(slowly())(scope, receive, send)

    with _punctual(app) as port:
        whole = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
        assert _exchange("127.0.0.1", port, "GET / HTTP/1.1\r\nHost: loc") == b""
        assert _exchange("127.0.0.1", port, "") == b""
        assert b"done" in _exchange("127.0.0.1", port, whole)
        assert b"done" in _exchange("127.0.0.1", port, whole + whole[:9]), "between two questions"


def test_endless_headers_are_refused(tmp_path):
    with _punctual(create_app(LabSettings(data=tmp_path))) as port:
        head = "GET / HTTP/1.1\r\nHost: localhost\r\n" + "X-Long: " + "y" * 200_000
        assert _raw("127.0.0.1", port, head)[0] == 400


def test_there_is_no_websocket(lab):
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), lab.websocket_connect("/"):
        pass


# --- the folder, the settings, the command ---


def test_nobody_else_on_this_machine_can_read_the_folder(tmp_path):
    folder = tmp_path / "new"
    client(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600


def test_browsers_stay_known_after_a_restart(tmp_path):
    first = visitor(tmp_path)
    again = client(tmp_path)
    again.cookies = first.cookies
    assert csrf(again.get("/").text) == first.headers[CSRF_HEADER]


def test_a_damaged_secret_is_named(tmp_path):
    (tmp_path / "secret").write_bytes(b"short")
    with pytest.raises(UserError, match="damaged: delete this file"):
        client(tmp_path)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"host": "0.0.0.0"}, "host"),
        ({"host": "::"}, "host"),
        ({"host": "192.168.1.7"}, "host"),
        ({"host": "lab.example.org"}, "host"),
        ({"host": "127.0.0.1.example.org"}, "host"),
        ({"host": ""}, "host"),
        ({"host": "", "token": TOKEN}, "host"),
        ({"host": "a b", "token": TOKEN}, "host"),
        ({"public": "https://lab.example.org"}, "public"),
        ({"public": "lab.example.org", "token": TOKEN}, "public"),
        ({"public": "https://lab.example.org/x", "token": TOKEN}, "public"),
        ({"public": "https://[::1", "token": TOKEN}, "public"),
        ({"host": "0.0.0.0", "token": "short"}, "token"),
        ({"token": ""}, "token"),
        ({"token": "with spaces in the middle"}, "token"),
        ({"port": 65_536}, "port"),
        ({"port": -1}, "port"),
        ({"logs": (Path("/no/such/folder"),)}, "logs"),
    ],
)
def test_settings_that_would_leave_the_door_open_are_refused(settings, field):
    with pytest.raises(UserError) as error:
        LabSettings(**settings)
    assert error.value.field == field
    assert settings.get("token") in (None, "", TOKEN) or settings["token"] not in str(error.value)


def test_loopback_needs_no_token():
    for host in ("127.0.0.1", "::1", "localhost", "127.0.0.2"):
        assert LabSettings(host=host).loopback


def test_the_lab_prints_a_link_that_works_holds_its_folder_and_stops_quietly(tmp_path, monkeypatch):
    command = [sys.executable, "-m", "seedo", "lab", "--no-browse", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--host", "0.0.0.0", "--token", TOKEN],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"JAX_PLATFORMS": "cpu"},
    )  # fmt: skip
    try:
        address, host, port, path = re.search(
            r"(http://(\S+?):(\d+)/)(\?token=\S+)", process.stderr.readline()
        ).groups()
        link = f"GET /{path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"
        assert _raw(host, port, link)[0] == 303
        monkeypatch.setattr(os, "umask", lambda mask: mask)  # ours stays as it is
        with pytest.raises(UserError, match=f"already running with it, at {address}") as second:
            serve(LabSettings(data=tmp_path / "lab", port=0))
        assert TOKEN not in str(second.value)
        with pytest.raises(UserError, match="listens there: use --port 0"):
            serve(LabSettings(data=tmp_path / "other", port=int(port)))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "", "")
    finally:
        process.kill()
        process.communicate()


def test_an_address_that_is_not_ours_is_named(tmp_path):
    for host in ("192.0.2.1", "no-such-host.invalid"):
        with pytest.raises(UserError, match=f"{host}:8787.*cannot listen there"):
            _serve._listen(LabSettings(host=host, token=TOKEN))


def test_an_ipv6_address_is_shown_as_browsers_want_it():
    settings = LabSettings(host="::1", port=0)
    with _serve._listen(settings) as listening:
        assert listening.getsockname()[0] == "::1"
    assert _serve._address(settings, 80) == "http://[::1]:80/"


def test_the_public_address_is_what_is_printed():
    settings = LabSettings(token=TOKEN, public="https://lab.example.org")
    assert _serve._address(settings, 80) == "https://lab.example.org/"


@contextmanager
def _punctual(app):
    """The port on which the application answers as `serve` lets it."""
    config = uvicorn.Config(app, port=0, http=_serve.Punctual, lifespan="off", timeout_keep_alive=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


def _exchange(host, port, text) -> bytes:
    """All that comes back until the other side hangs up."""
    received = b""
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        try:
            connection.sendall(text.encode())
            while part := connection.recv(65_536):
                received += part
        except ConnectionError:
            pass
    return received


def _raw(host, port, text) -> tuple[int, str]:
    """Status and body of what comes back for these very bytes."""
    received = _exchange(host, port, text.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1))
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode("utf-8", "replace")
