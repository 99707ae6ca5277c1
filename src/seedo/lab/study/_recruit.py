"""How a study finds its participants, as its file declares it."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from seedo.errors import UserError, is_number, one_of, whole
from seedo.lab.study._fields import table


class Platform(NamedTuple):
    """What a recruiting platform writes into its links.

    Attributes:
        person: parameters that may say who comes, the first one that is there counts.
        session: the one that says which of their submissions it is; "": the person says it too.
        study: the one that says which of the platform's studies it is; "": none.
        back: where participants return to, unless the study says otherwise; "": nowhere.
        query: to be added to the participants' link where the study is set up on the platform.
    """

    person: tuple[str, ...]
    session: str = ""
    study: str = ""
    back: str = ""
    query: str = ""


PLATFORMS = {
    "open": Platform(()),
    "links": Platform(("link",), query="?link=..."),
    "prolific": Platform(
        ("PROLIFIC_PID",),
        "SESSION_ID",
        "STUDY_ID",
        "https://app.prolific.com/submissions/complete?cc={code}",
        "?PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}",
    ),
    "mturk": Platform(("workerId",), "assignmentId", "hitId"),
    "sona": Platform(("survey_code", "id"), query="?survey_code=%SURVEY_CODE%"),
}
"""`open`: whoever has the link; `links`: one-time links of the lab's own."""

_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HOLES = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Recruit:
    """Table `[recruit]`; nothing of it changes what a participant meets in the tasks.

    Attributes:
        platform: a key of `PLATFORMS`.
        minutes: without an answer, after which a place goes to somebody else; 0: never.
        per_address: places that one network address may take in all; 0: any number.
        return_url: where participants go at the end, with `{code}` and `{person}` filled in; "":
            the platform's own.
        passed, failed, full: codes for who finished, who failed the checks and who came too late;
            "": of `passed`, the code of table `[end]`; of `failed`, the one of `passed` for who
            finished and none for who was sent away; of `full`, none.
        bonus: money for a score of 1, in any currency; less in proportion.
    """

    platform: str = "open"
    minutes: float = 60
    per_address: int = 3
    return_url: str = ""
    passed: str = ""
    failed: str = ""
    full: str = ""
    bonus: float = 0.0

    def __post_init__(self) -> None:
        one_of("recruit.platform", self.platform, tuple(PLATFORMS))
        _amount("recruit.minutes", self.minutes, 100_000)
        whole("recruit.per_address", self.per_address, 0, 1_000_000)
        _amount("recruit.bonus", self.bonus, 1_000_000)
        for name in ("passed", "failed", "full"):
            code = getattr(self, name)
            if not isinstance(code, str) or (code and not _CODE.fullmatch(code)):
                remedy = "use 1 to 64 letters, digits, - and _"
                raise UserError(f"recruit.{name}", str(code)[:40], remedy)
        if self.passed and self.passed in (self.failed, self.full):
            raise UserError("recruit.passed", self.passed, "give failed and full other codes")
        _check_address(self.return_url)

    @property
    def by_name(self) -> bool:
        """Whether a link says who comes."""
        return bool(PLATFORMS[self.platform].person)

    def way_back(self, code: str, person: str | None) -> str | None:
        """Where to go at the end; None: nowhere."""
        address = self.return_url or PLATFORMS[self.platform].back
        if not address or not code:
            return None
        return address.replace("{code}", code).replace("{person}", person or "")

    @staticmethod
    def from_json(plain: object) -> Recruit:
        """The inverse of `to_json`; also of the file's table.

        Raises:
            UserError: names the key that cannot be used.
        """
        return Recruit(**table("recruit", plain, tuple(f.name for f in fields(Recruit))))

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads, every field given."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def _amount(field: str, value: object, most: float) -> None:
    if not is_number(value) or not 0 <= value <= most:
        raise UserError(field, value, f"use a number from 0 to {most}")


def _check_address(address: object) -> None:
    if address == "":
        return
    remedy = "use an address like https://app.prolific.com/submissions/complete?cc={code}"
    if not isinstance(address, str) or len(address) > 500 or not address.isascii():
        raise UserError("recruit.return_url", str(address)[:60], remedy)
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or re.search(r"[\s\"<>]", address):
        raise UserError("recruit.return_url", address[:60], remedy)
    for hole in _HOLES.findall(address):
        if hole not in ("code", "person"):
            remedy = "only {code} and {person} can be filled in"
            raise UserError("recruit.return_url", f"{{{hole}}}", remedy)
