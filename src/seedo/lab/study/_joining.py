"""Who may take part, and for how long a place is theirs."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from seedo.lab._security import Keys
from seedo.lab.study._assignment import Full, assign
from seedo.lab.study._config import StudyConfig
from seedo.lab.study._ending import end_code
from seedo.lab.study._entry import Came, came, read_link
from seedo.lab.study._pay import PayList
from seedo.lab.study._places import expired, holding, open_conditions, stale, stamp
from seedo.lab.study._store import Enrolment, Gone, Participant, StudyStore, Taken
from seedo.lab.study._words import Said


class Joining:
    """The way into a study, and out of it.

    Args:
        proxied: the lab is behind a proxy.
        clock: the time, with its zone.
    """

    def __init__(
        self,
        config: StudyConfig,
        store: StudyStore,
        keys: Keys,
        pay: PayList,
        proxied: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.config, self.store, self.pay, self.clock = config, store, pay, clock
        self._keys, self._proxied = keys, proxied
        self._turn = threading.Lock()

    def refusal(self, link: Mapping[str, str]) -> str | None:
        """The key of why nobody can join by a link with these parameters; None: they can."""
        try:
            read_link(self.config, link, self._keys)
        except Said as error:
            return error.field
        return None

    def is_full(self) -> bool:
        """Whether nobody can join at the moment."""
        held = holding(self.config, self.store.participants(), self.clock())
        return not open_conditions(self.config, held)

    def join(
        self,
        visitor_hash: str,
        link: Mapping[str, str],
        address: str | None,
        resume_token: Callable[[int, str], str],
    ) -> None:
        """Take a place, or have it already.

        Raises:
            Said: 403, the link does not say who comes; 409, no place is left, too many
                have come from this address, or the person takes part in another browser.
        """
        named = read_link(self.config, link, self._keys)
        who = came(self.config, named, address, self._keys, self._proxied)

        def decide(others: Sequence[Participant]) -> Enrolment:
            self._check_address(others, who)
            return assign(self.config, others, resume_token, self.clock())

        try:
            if named is None or who.person is None:
                self.store.enrol(visitor_hash, decide, who)
                return
            with self._turn:  # nobody else adds or removes this name
                # Named first: whoever has a place is in the pay list, whenever the lab is killed.
                new = self.pay.add(who.person, named)
                try:
                    self.store.enrol(visitor_hash, decide, who)
                except Exception:
                    if new:
                        self.pay.remove(who.person)
                    raise
        except Full as error:
            raise Said(409, "error-full") from error
        except Taken as error:
            raise Said(409, "error-taken") from error

    def _check_address(self, others: Sequence[Participant], who: Came) -> None:
        most = self.config.recruit.per_address if self.config.recruit else 0
        if most and who.address is not None:
            taken = Counter(other.network_hash for other in others)[who.address]
            if taken >= most:
                raise Said(409, "error-network")

    # -- keeping a place --------------------------------------------------------------------------

    def late(self, person: Participant) -> bool:
        """Whether somebody has been away too long, and their place is another's."""
        now = self.clock()
        if not expired(self.config, person, now):
            return False
        return not self._may_return(person, self.store.participants())

    def stay(self, person: Participant) -> None:
        """Keep the place of who does something.

        Raises:
            Said: 409, it is another's.
        """
        now = self.clock()
        if person.state in ("finished", "screened") or not stale(self.config, person, now):
            return

        def may(me: Participant, people: Sequence[Participant]) -> bool:
            return not expired(self.config, me, now) or self._may_return(me, people)

        try:
            if not self.store.stay(person.id, stamp(now), may):
                raise Said(409, "error-away")
        except Gone as error:
            raise Said(404, "error-gone") from error

    def _may_return(self, person: Participant, people: Sequence[Participant]) -> bool:
        held = holding(self.config, people, self.clock())
        return person.condition in open_conditions(self.config, held)

    # -- the end ----------------------------------------------------------------------------------

    def full_screen(self) -> dict[str, Any]:
        """What is shown to who comes too late."""
        recruit = self.config.recruit
        code = recruit.full if recruit else ""
        if recruit is None or not code:
            return {"screen": "full"}
        return {"screen": "full", "code": code, "back": recruit.way_back(code, None)}

    def late_screen(self, person: Participant) -> dict[str, Any]:
        """What is shown to who was away too long."""
        code = self.config.recruit.full if self.config.recruit else ""
        return {"screen": "late", "code": code, "back": self._back(person, code)}

    def end_screen(self, person: Participant, language: str) -> dict[str, Any]:
        """What is shown to who has finished, or was sent away."""
        code = end_code(self.config, person)
        screen = "end" if person.state == "finished" else "screened"
        text = {"text": self.config.told("end-text", language)} if screen == "end" else {}
        back = self._back(person, code)
        return {"screen": screen, **text, "code": code} | ({"back": back} if back else {})

    def _back(self, person: Participant, code: str) -> str | None:
        if self.config.recruit is None:
            return None
        named = self.pay.named(person.person_hash)
        return self.config.recruit.way_back(code, named and named.person)
