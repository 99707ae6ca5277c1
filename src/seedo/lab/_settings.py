"""What the lab is started with."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from seedo.errors import UserError, whole
from seedo.experimenters import parse_name
from seedo.lab._addresses import is_this_machine
from seedo.worlds.raw import read_about

_TOKEN = re.compile(r"[A-Za-z0-9._~-]{16,200}")  # goes into a link as it is
_HOST = re.compile(r"[A-Za-z0-9._:-]+(%[A-Za-z0-9]+)?")
_ORIGIN = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:([0-9]{1,5}|\*))?")


@dataclass(frozen=True)
class LabSettings:
    """How one lab is set up.

    Attributes:
        data: folder for games, challenges, comparisons and study responses; made if missing.
        logs: folders whose logs and runs may be looked at.
        agents: players that join the cast: agent folders, `module:Class`.
        abstractions: folders of `seedo abstract` through which raw worlds may be watched.
        models: language models that join the cast, as Inspect names them.
        study: a study file (TOML) for human participants; None: none.
        database: SQLAlchemy URL of the study's responses; None: an SQLite file in `data`.
        host, port: where to listen; port 0: any free one.
        token: what a researcher's browser has to show; needed where others can reach the lab.
        public: address under which they do, if it is another than `host` and `port` (a proxy's).
        frames: origins of pages that may show the lab in a frame, such as a notebook's; port `*`:
            any. Else no page may.
        warm: compile the usual programs in the background at the start.

    Raises:
        UserError: a value that cannot be used.
    """

    data: Path = Path("lab")
    logs: tuple[Path, ...] = (Path(),)
    agents: tuple[str, ...] = ()
    abstractions: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    study: Path | None = None
    database: str | None = None
    host: str = "127.0.0.1"
    port: int = 8787
    token: str | None = field(default=None, repr=False)
    public: str | None = None
    frames: tuple[str, ...] = ()
    warm: bool = True

    def __post_init__(self) -> None:
        whole("port", self.port, 0, 65_535)
        if not _HOST.fullmatch(self.host):
            raise UserError("host", self.host, "use an address or a name of this machine")
        if self.public is not None:
            _check_public(self.public)
        if self.token is None and not (self.loopback and self.public is None):
            remedy = "others could reach the lab: give --token too (16 characters or more)"
            field = "host" if self.public is None else "public"
            raise UserError(field, self.public or self.host, remedy)
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            raise UserError("token", "***", "use 16 or more letters, digits and . _ ~ -")
        for origin in self.frames:
            if not _ORIGIN.fullmatch(origin):
                raise UserError("frame", origin, "use an origin like http://localhost:8888")
        for folder in self.logs:
            if not folder.is_dir():
                raise UserError("logs", str(folder), "no such folder")
        for agent in self.agents:
            if parse_name(agent).kind == "folder" and not Path(agent, "agent.json").is_file():
                raise UserError("agent", agent, "no agent.json there: name an agent's folder")
        for abstraction in self.abstractions:
            if read_about(Path(abstraction))["shows"] is None:
                remedy = "it was learnt from no raw world: name one that was"
                raise UserError("abstraction", abstraction, remedy)
        if self.database is not None and self.study is None:
            raise UserError("database", "***", "it holds a study's responses: give --study too")

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the lab."""
        return is_this_machine(self.host)

    @property
    def everywhere(self) -> bool:
        """Whether it listens at all addresses of this machine."""
        return self.host in ("0.0.0.0", "::")


def _check_public(address: str) -> None:
    try:
        parts = urlsplit(address)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole or parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
        raise UserError("public", address, "use an address like https://lab.example.org")
