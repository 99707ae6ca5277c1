"""What the lab is started with."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from understudy.errors import UserError, whole


@dataclass(frozen=True)
class LabSettings:
    """How one lab is set up.

    Attributes:
        data: folder for games, challenges, comparisons and study responses; made if missing.
        logs: folders whose logs and runs may be looked at.
        agents: agent folders that join the cast.
        models: language models that join the cast, as Inspect names them.
        study: a study file (TOML) for human participants; None: none.
        database: SQLAlchemy URL of the study's responses; None: an SQLite file in `data`.
        host, port: where to listen; port 0: any free one.
        token: what a researcher's browser has to show; needed where `host` is not loopback.
        warm: compile the usual programs in the background at the start.

    Raises:
        UserError: a value that cannot be used.
    """

    data: Path = Path("lab")
    logs: tuple[Path, ...] = (Path(),)
    agents: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    study: Path | None = None
    database: str | None = None
    host: str = "127.0.0.1"
    port: int = 8787
    token: str | None = field(default=None, repr=False)
    warm: bool = True

    def __post_init__(self) -> None:
        whole("port", self.port, 0, 65_535)
        if not self.loopback and self.token is None:
            remedy = "other machines could reach the lab: give --token too (16 characters or more)"
            raise UserError("host", self.host, remedy)
        if self.token is not None and len(self.token) < 16:
            raise UserError("token", "***", "use 16 characters or more")
        for folder in self.logs:
            if not folder.is_dir():
                raise UserError("logs", str(folder), "no such folder")

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the lab."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"
