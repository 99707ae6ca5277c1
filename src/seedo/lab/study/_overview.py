"""How a study is going: who is where, who left, and what conditions have earned so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from seedo.lab.study._ending import end_code
from seedo.lab.study._pay import reached
from seedo.lab.study._places import expired, holding
from seedo.lab.study._session import Session
from seedo.lab.study._store import STATES, Participant
from seedo.lab.study._task import choices_of
from seedo.statistics import mean


def overview(session: Session) -> dict[str, Any]:
    """Counts and scores by condition, and a line for every participant."""
    config, store = session.config, session.store
    people, progress, now = store.participants(), store.progress(), session.joining.clock()
    late = {p.id for p in people if expired(config, p, now)}
    choices = {label: choices_of(first(0).stage().spec) for label, first in config.conditions()}
    return {
        "places": config.max_participants,
        "held": len(holding(config, people, now)),
        "states": list(STATES),
        "conditions": [
            _condition(session, label, [p for p in people if p.condition == label], late)
            for label in choices
        ],
        "participants": [
            {
                "id": p.id,
                "number": p.number,
                "condition": p.condition,
                "state": p.state,
                "late": p.id in late,
                "done": progress.get(p.id, 0),
                "all": config.tasks * choices[p.condition],
                "attention": p.attention_passed,
                "code": end_code(config, p) if p.state in ("finished", "screened") else "",
                "score": p.score,
                "since": p.consented_at,
            }
            for p in people
        ],
    }


def _condition(
    session: Session, label: str, people: Sequence[Participant], late: set[int]
) -> dict[str, Any]:
    counts = Counter(p.state for p in people)
    finished = [p for p in people if p.state == "finished"]
    scores = [reached(session.store, session.config, p) for p in finished]
    left = Counter(p.state for p in people if p.id in late)
    return {
        "label": label,
        "counts": [counts[state] for state in STATES],
        "late": sum(left.values()),
        "left_at": dict(left),
        "score": mean([s for s in scores if s is not None]).to_json(),
    }
