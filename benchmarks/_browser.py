"""A lab on loopback, and a browser without a window to look at it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from playwright.sync_api import Browser, sync_playwright

from seedo import programs
from seedo.lab import LabSettings, create_app
from seedo.lab._serve import Punctual

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


@contextmanager
def lab_and_browser(settings: LabSettings) -> Iterator[tuple[str, Browser]]:
    """Yields the lab's address, without a slash at the end, and Chromium."""
    path = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if path is None:
        raise SystemExit("no Chromium on the PATH")
    programs.keep()
    app = create_app(settings)
    config = uvicorn.Config(app, port=0, http=Punctual, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_QUIET)
        yield address, browser
        browser.close()
    server.should_exit = True
    thread.join(20)
