"""What notebooks show: displays of results, and a lab in a frame."""

import http.server
import re
import threading
from contextlib import contextmanager

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.testing.globalipapp import start_ipython

from lab_server import running
from seedo import evaluation, play, statistics, worlds
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.experimenters import scripted
from seedo.inference import ask, infer, parse_graph
from seedo.lab import embed
from seedo.tables import Table, read_table

EVIL = "<b>x</b>"


@pytest.fixture(scope="module")
def shown():
    """shown(value): the HTML that a notebook in which seedo was loaded has for it."""
    start_ipython()
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "seedo")
    html = shell.display_formatter.formatters["text/html"]
    html.enabled = True  # as in a notebook; a terminal shows none
    return lambda value: html(value) or ""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "random"
    play.perform(worlds.make("dag", n=3), scripted("random"), 20, 0, folder)
    return folder


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rng = np.random.default_rng(0)
    file = tmp_path_factory.mktemp("tables") / "measured.csv"
    x = rng.normal(size=200)
    rows = np.column_stack([x, 2 * x + rng.normal(size=200)])
    lines = [f"{EVIL},y", *(f"{a:.4f},{b:.4f}" for a, b in rows)]
    file.write_text("\n".join(lines) + "\n")
    return read_table(file)[0]


def cells(html):
    return re.findall(r"<td>(.*?)</td>", html, re.S)


def test_a_dataset_tells_what_is_in_it(shown, run):
    html = shown(Dataset(run))
    returns = Dataset(run).read().returns
    assert "20" in cells(html)
    assert "X0" not in html
    assert any(re.fullmatch(rf"{returns.mean():.3g}", cell) for cell in cells(html))


def test_a_review_has_its_players_and_a_picture(shown, run):
    review = evaluation.review([run])
    html = shown(review)
    ratio = review.runs[0].metrics.return_ratio
    assert f"{ratio.value:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]" in html
    assert "<svg" in html
    assert "random" in html


def test_a_table_has_its_columns_and_first_rows_and_no_markup_of_its_own(shown, table):
    assert isinstance(table, Table)
    html = shown(table)
    assert EVIL not in html
    assert "&lt;b&gt;x&lt;/b&gt;" in html
    assert "200" in cells(html)


def test_a_posterior_is_a_graph_with_probabilities(shown, table):
    posterior = infer(table)
    html = shown(posterior)
    edges = posterior.graph.edges
    assert f"{edges.max():.3f}" in cells(html)
    assert "<svg" in html
    assert EVIL not in html


def test_an_answer_says_what_it_rests_on(shown, table):
    found = ask("what are the causes of y", table)
    html = shown(found)
    assert found.rests_on.split(":")[0] in html
    assert found.question.replace("<", "&lt;").replace(">", "&gt;") in html


def test_a_graph_is_drawn_with_its_hidden_causes(shown):
    plain = shown(parse_graph("a -> b; b -> c"))
    hidden = shown(parse_graph("dag { a -> b; b -> c; a <-> c }"))
    assert "2 edges" in plain
    assert "hidden" not in plain
    assert "1 hidden common cause" in hidden
    assert hidden.count("<path") > plain.count("<path")


def test_an_estimate_is_a_number_with_its_interval(shown):
    estimate = statistics.mean(np.arange(9.0))
    assert f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]" in shown(estimate)


def test_other_things_are_shown_as_python_has_them(shown):
    assert shown({"a": 1}) == ""


@contextmanager
def notebook(html):
    """A page of another port with this output of a cell in it."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<!doctype html><title>notebook</title>{html}".encode())

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.mark.browser
def test_the_lab_works_in_a_cell(visit, tmp_path):
    lab = embed("/build", data=tmp_path / "lab", logs=[tmp_path])
    try:
        with notebook(lab._repr_html_()) as address:
            page = visit(address)
            frame = page.frame_locator("iframe")
            # A change needs the visitor's cookie and token.
            frame.get_by_role("link", name="Play", exact=True).click()
            frame.get_by_role("heading", level=1).wait_for()
            kept = page.context.cookies(f"http://127.0.0.1:{lab.port}")
            assert any(cookie["name"] == "seedo_visitor" for cookie in kept)
            page.close()
    finally:
        lab.close()


@pytest.mark.browser
def test_no_other_page_may_frame_the_lab(visit, tmp_path):
    with running(tmp_path / "lab") as lab, notebook(f'<iframe src="{lab}/"></iframe>') as address:
        page = visit(address)
        page.wait_for_timeout(500)
        assert not [f for f in page.frames[1:] if f.evaluate("document.title") == "Seedo"]
        assert visit.wrong
        assert "frame" in visit.wrong[0].lower()
    visit.wrong.clear()


@pytest.mark.parametrize("path", ["play", "//evil.example", '/x"><script>', "/ y"])
def test_what_is_no_page_of_the_lab_cannot_be_embedded(path):
    with pytest.raises(UserError, match="path"):
        embed(path)


@pytest.mark.parametrize("origin", ["*", "https://a.example:0", "https://a.example:99999"])
def test_frames_are_origins(tmp_path, origin):
    with pytest.raises(UserError, match="frame"):
        embed(frames=[origin], data=tmp_path / "lab", logs=[tmp_path])
