"""What every test relies on: one CPU device, no window system, the same examples on every run."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

# Before anything imports JAX or matplotlib.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Compiling is most of the time here, so programs are compiled in a hurry (the emitters of fused
# loops alone are 40 % of it); `make test-slow` compiles as users do. Inherited flags are dropped: a
# device count would change what sharded code does.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
os.environ["XLA_FLAGS"] = (
    "--xla_cpu_use_fusion_emitters=false --xla_cpu_multi_thread_eigen=false "
    "--xla_cpu_parallel_codegen_split_count=1"
    if os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] == "1"
    else ""
)
os.environ["MPLBACKEND"] = "Agg"
# As many processes as cores: threads of each would only take turns with the others'.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
# What one test has compiled serves the others and the commands they run, for this session only.
if "SEEDO_TEST_CACHE" not in os.environ:
    os.environ["SEEDO_TEST_CACHE"] = _cache = tempfile.mkdtemp(prefix="seedo-xla-")
    atexit.register(shutil.rmtree, _cache, ignore_errors=True)
os.environ["JAX_COMPILATION_CACHE_DIR"] = os.environ["SEEDO_TEST_CACHE"]
os.environ["JAX_COMPILATION_CACHE_MAX_SIZE"] = "-1"  # a limit costs a look at every file each time
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "0"

import jax
import pytest
from hypothesis import HealthCheck, settings

from databases import postgres  # noqa: F401  a fixture
from stores import s3, s3_server  # noqa: F401  fixtures

# JAX leaves few cycles, and looking for them is slow where so much is alive.
gc.set_threshold(50_000, 20, 50)

# A first call compiles, which hypothesis takes for a slow example: hence no deadline.
_compiled = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", _compiled, max_examples=25, derandomize=True)
settings.register_profile("thorough", _compiled, max_examples=500)
settings.load_profile("fast")


def pytest_unconfigure():
    """Let threads that are still computing come to an end.

    Python, on its way out, would stop them in the middle of XLA, which takes that for a crash.
    """
    until = time.monotonic() + 60
    while time.monotonic() < until and any(map(_computes, threading.enumerate())):
        time.sleep(0.05)


def _computes(thread):
    frame = sys._current_frames().get(thread.ident)
    if frame is None or thread is threading.current_thread():
        return False
    return os.path.basename(frame.f_code.co_filename) not in _WAITING


_WAITING = ("threading.py", "queue.py", "selectors.py", "thread.py", "socket.py", "gateway_base.py")


def pytest_collection_modifyitems(items):
    """Whoever asks for a page asks for a browser."""
    for item in items:
        if {"chromium", "visit"} & set(item.fixturenames):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(autouse=True, scope="module")
def _few_programs():
    """Forget compiled programs before they are too many: each takes memory maps, of which Linux
    allows a process 65,530, and XLA crashes at the limit. The disk cache brings them back."""
    yield
    if (maps := Path("/proc/self/maps")).exists() and maps.read_bytes().count(b"\n") > 15_000:
        jax.clear_caches()
        gc.collect()


_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --force-color-profile=srgb"
).split()


@pytest.fixture(scope="module")
def chromium():
    """A browser without a window; SEEDO_NEED_BROWSER=1 makes its absence a failure.

    One a module: while Playwright is started, nobody else can run an event loop in this thread.
    """
    path = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if path is None:
        if os.environ.get("SEEDO_NEED_BROWSER"):
            pytest.fail("no Chromium on the PATH")
        pytest.skip("no Chromium on the PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_QUIET)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Opens pages: visit(address, width=1440, height=900, scheme="light") is a Playwright page.

    The test fails if any page logs an error: an exception, a refused resource, a broken policy.
    """
    contexts, wrong = [], []

    def open_page(address, width=1440, height=900, scheme="light"):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda line: line.type == "error" and wrong.append(f"{page.url}: {line.text}"),
        )
        page.goto(address)
        return page

    open_page.wrong = wrong  # a test of refusals may clear it
    yield open_page
    for context in contexts:
        context.close()
    assert not wrong, wrong


@pytest.fixture
def figure(request):
    """figure(page, name) keeps a screenshot: in docs/lab with SEEDO_FIGURES=1, else nowhere
    that lasts."""
    docs = request.config.rootpath / "docs" / "lab"
    folder = docs if os.environ.get("SEEDO_FIGURES") else request.getfixturevalue("tmp_path")

    def keep(page, name, full_page=True):
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}.png", full_page=full_page)

    return keep
