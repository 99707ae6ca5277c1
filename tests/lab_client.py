"""A lab within the test's process, asked as a browser asks."""

import re

from starlette.testclient import TestClient

from seedo.lab import LabSettings, create_app
from seedo.lab._security import CSRF_HEADER


def client(folder, **settings) -> TestClient:
    """A browser that has opened nothing yet."""
    app = create_app(LabSettings(data=folder, warm=False, **settings))
    return TestClient(app, base_url="http://localhost", follow_redirects=False)


def visitor(folder, **settings) -> TestClient:
    """A browser that has opened the first page, and so may change things."""
    browser = client(folder, **settings)
    browser.headers[CSRF_HEADER] = csrf(browser.get("/").text)
    return browser


def csrf(page: str) -> str:
    """The token that a page gives to its script."""
    return re.search(r'<meta name="csrf" content="([0-9a-f]+)">', page)[1]
