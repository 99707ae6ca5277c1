"""What the lab is started with."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from seedo.errors import UserError, whole
from seedo.experimenters import parse_name
from seedo.lab._addresses import is_this_machine
from seedo.worlds.raw import read_about

_TOKEN = re.compile(r"[A-Za-z0-9._~-]{16,200}")  # goes into a link as it is
_HEADER = re.compile(r"[A-Za-z0-9-]{1,60}")
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
        models: language models that join the cast and can be asked to play against people: as
            Inspect names them, or `llm:NAME` or `hf:FOLDER`.
        study: a study file (TOML) for human participants; None: none.
        database: SQLAlchemy URL of the study's responses; None: an SQLite file in `data`.
        host, port: where to listen; port 0: any free one.
        token: what a researcher's browser has to show; needed where others can reach the lab.
        public: address under which they do, if it is another than `host` and `port` (a proxy's).
        frames: origins of pages that may show the lab in a frame, such as a notebook's; port `*`:
            any. Else no page may.
        proxy: addresses or networks of proxies, whose `proxy_header` says who visits; nobody else
            is believed.
        proxy_header: its name.
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
    proxy: tuple[str, ...] = ()
    proxy_header: str = "X-Forwarded-For"
    warm: bool = True

    def __post_init__(self) -> None:
        whole("port", self.port, 0, 65_535)
        if not _HOST.fullmatch(self.host):
            raise UserError("host", self.host, "use an address or a name of this machine")
        if self.public is not None:
            _check_public(self.public)
        _ = self.proxies  # refuses what is no address
        if not _HEADER.fullmatch(self.proxy_header):
            raise UserError("proxy_header", self.proxy_header[:60], "use a name like X-Real-IP")
        if self.proxy_header != "X-Forwarded-For" and not self.proxy:
            remedy = "nobody's header is believed: name the proxy that sends it by --proxy"
            raise UserError("proxy_header", self.proxy_header, remedy)
        if self.token is None and not (self.loopback and self.public is None):
            remedy = "others could reach the lab: give --token too (16 characters or more)"
            field = "host" if self.public is None else "public"
            raise UserError(field, self.public or self.host, remedy)
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            raise UserError("token", "***", "use 16 or more letters, digits and . _ ~ -")
        for origin in self.frames:
            read = _ORIGIN.fullmatch(origin)
            if read is None or not _is_port(read[3] or "*"):
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

    @cached_property
    def proxies(self) -> tuple[Network, ...]:
        """Networks of proxies."""
        return tuple(map(_network, self.proxy))

    @property
    def speakers(self) -> tuple[str, ...]:
        """The language models as players are named."""
        named = (parse_name(model).kind in ("llm", "hf") for model in self.models)
        pairs = zip(self.models, named, strict=True)
        return tuple(model if known else f"llm:{model}" for model, known in pairs)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the lab."""
        return is_this_machine(self.host)

    @property
    def everywhere(self) -> bool:
        """Whether it listens at all addresses of this machine."""
        return self.host in ("0.0.0.0", "::")


def _is_port(text: str) -> bool:
    return text == "*" or 0 < int(text) < 65_536


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(text: str) -> Network:
    remedy = "use a proxy's address or network, e.g. 127.0.0.1 or 10.0.0.0/8"
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise UserError("proxy", text[:60], remedy) from None
    if found.prefixlen == 0:
        raise UserError("proxy", text, f"everybody would be believed: {remedy}")
    address = text.partition("/")[0]
    if "/" in text and ipaddress.ip_address(address) != found.network_address:
        raise UserError("proxy", text, f"use {address} for one proxy, {found} for all in there")
    return found


def _check_public(address: str) -> None:
    try:
        parts = urlsplit(address)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole or parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
        raise UserError("public", address, "use an address like https://lab.example.org")
