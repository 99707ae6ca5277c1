"""Who comes through a link: what it says of them, and the keyed hashes that are kept of it."""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple

from seedo.lab._security import Keys
from seedo.lab.study._config import StudyConfig
from seedo.lab.study._recruit import PLATFORMS
from seedo.lab.study._words import Said

_ID = re.compile(r"[A-Za-z0-9@._:-]{1,100}")
_NOT_YET = ("ASSIGNMENT_ID_NOT_AVAILABLE",)  # who only looks at a task of Mechanical Turk


class Named(NamedTuple):
    """What a link says, as it stands there: goes into the pay list and nowhere else.

    Attributes:
        session, study: "" where the platform has none.
    """

    person: str
    session: str
    study: str


class Came(NamedTuple):
    """Keyed hashes of who comes; None: unknown, or of no interest to this study."""

    person: str | None = None
    session: str | None = None
    address: str | None = None


UNKNOWN = Came()


def read_link(config: StudyConfig, given: Mapping[str, str], keys: Keys) -> Named | None:
    """What a link's parameters say; None for a study that does not ask who comes.

    Raises:
        Said: 403, they do not say it, or it cannot be.
    """
    recruit = config.recruit
    if recruit is None or not recruit.by_name:
        return None
    platform = PLATFORMS[recruit.platform]
    person = next((given[name] for name in platform.person if given.get(name)), "")
    session = given.get(platform.session, "") if platform.session else ""
    study = given.get(platform.study, "") if platform.study else ""
    usable = all(_ID.fullmatch(part) for part in (person, session, study) if part)
    if recruit.platform == "links":
        usable = usable and _is_ours(config, person, keys)
        person = f"link {person.partition('-')[0]}" if usable else ""
    if not person or not usable or session in _NOT_YET:
        raise Said(403, f"error-from-{recruit.platform}")
    return Named(person, session, study)


def came(
    config: StudyConfig, named: Named | None, address: str | None, keys: Keys, proxied: bool
) -> Came:
    """What may be kept of who comes.

    Args:
        named: of `read_link`.
        address: of the network, as the server sees it.
        proxied: the lab is behind a proxy: an address of this machine is the proxy's own.
    """
    if config.recruit is None:
        return UNKNOWN
    network = _network(address, proxied) if config.recruit.per_address else None

    def signed(purpose: str, part: str | None) -> str | None:
        return None if part is None else keys.sign(purpose, f"{config.name}/{part}")

    if named is None:
        return Came(address=signed("network", network))
    session = named.session or named.person
    return Came(signed("person", named.person), signed("session", session),
                signed("network", network))  # fmt: skip


def one_time(config: StudyConfig, number: int, keys: Keys) -> str:
    """What stands in one-time link number `number`."""
    return f"{number}-{keys.sign('link', f'{config.name}/{number}')[:24]}"


def _is_ours(config: StudyConfig, token: str, keys: Keys) -> bool:
    number = token.partition("-")[0]
    plain = number.isascii() and number.isdecimal() and len(number) < 10
    return plain and hmac.compare_digest(one_time(config, int(number), keys), token)


def _network(address: str | None, proxied: bool) -> str | None:
    """What counts as one visitor: an address of version 4, a /64 of version 6."""
    if address is None:
        return None
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.is_loopback and proxied:
        return None
    if found.version == 6:
        mapped = found.ipv4_mapped
        return str(mapped or ipaddress.ip_network((int(found) >> 64 << 64, 64)))
    return str(found)
