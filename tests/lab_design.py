"""A small study to change, with its lab, clock and participants, for tests."""

import csv
import io
import re
import zipfile
from datetime import UTC, datetime, timedelta

from PIL import Image
from starlette.testclient import TestClient

from seedo.lab import LabSettings, create_app
from seedo.lab.study import Session

STUDY = """
name = "design"
title = "A study"
consent = "Do you agree?"
instructions = "Find out."
tasks = 1
practice = 0
seed = 3
max_participants = 8

[world]
n = 3
experiments = 2

"""


class Design:
    """A study that is open in a lab of its own."""

    def __init__(self, folder, text, **settings):
        self.folder, self.file = folder, folder / "design.toml"
        self.file.write_text(text)
        self.settings = LabSettings(
            data=folder / "lab", study=self.file, warm=False, logs=(folder,), **settings
        )
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.open()

    def open(self):
        """Start the lab, again if it was started before."""
        self.app = create_app(self.settings)
        session = self.app.state.lab.services[Session]
        session.joining.clock = lambda: self.now
        self.config, self.store = session.config, session.store

    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)

    def browser(self, **link):
        return Browser(self.app, link)

    def rows(self, name, **options):
        """A table of the export."""
        archive = self.export(**options)
        return list(csv.DictReader(io.TextIOWrapper(archive.open(f"design/{name}"))))

    def export(self, **options):
        client = TestClient(self.app, base_url="http://localhost")
        return zipfile.ZipFile(io.BytesIO(client.get("/api/study/export", params=options).content))


class Browser:
    """A participant's browser, without the browser."""

    def __init__(self, app, link):
        self.http = TestClient(app, base_url="http://localhost")
        answer = self.http.get("/take/design", params=link)
        self.page, self.link = answer.text, link
        self.http.headers["x-csrf-token"] = re.search(
            r'name="csrf" content="([0-9a-f]+)"', self.page
        )[1]

    def view(self):
        return self.http.get("/api/take/design").json()

    def post(self, what, body=None):
        return self.http.post(f"/api/take/design/{what}", json=body)

    def join(self):
        """The screen after agreeing."""
        return self.post("consent", {"agree": True, "link": self.link}).json()

    def start(self):
        """The screen after the instructions."""
        self.join()
        return self.post("ready").json()

    def choose(self, view, target=None, value=None):
        """Any legal choice unless one is given."""
        if target is None:
            target = next(i for i in range(len(view["names"])) if i != view["goal"])
            value = view["values"][target][-1]
        body = {"item": view["item"], "step": view["step"], "target": target, "value": value}
        return self.post("step", body | {"milliseconds": 900})


def picture(kind="PNG", size=(8, 6), **options):
    """The bytes of a picture."""
    data = io.BytesIO()
    Image.new("RGB", size, (20, 90, 160)).save(data, kind, **options)
    return data.getvalue()
