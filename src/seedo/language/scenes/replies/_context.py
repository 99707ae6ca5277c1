"""Whether an action that a text names is what its writer does: what stands before and after it.

An action is somebody's own only where everything around it in its sentence says so; whatever else
is named is denied, supposed, remembered, quoted or asked about. A sentence that is not understood
is none of an action: whoever wrote it is asked again, which costs less than to do what nobody
chose.
"""

from __future__ import annotations

import re
from typing import Literal

from seedo.language.scenes.replies._cues import (
    ALSO,
    BY_THEN,
    CAME_OF,
    CONDITION,
    CROSSED,
    DEFERS,
    MAYBE,
    NO_SIGN,
    NOT,
    OVER,
    PAST,
    POINTS,
    QUOTED,
    REFUSES,
    REPORTS,
    WOULD_HAVE,
    taken_back,
)
from seedo.language.scenes.replies._marks import labels
from seedo.language.scenes.replies._tongues import CHOOSES, DENYING, FRAMING

Standing = Literal["own", "denied", "aside", "doubted", "other"]
"""What an action is that was named: done; refused or taken back; set aside, as what was done
before, is asked, is somebody else's or was not to be; spoken of badly; or only spoken of. What is
denied or set aside does not count as named."""

_REASON = re.compile(r"(?:because|since|as|given|based|having|after|seeing|in order|to|for|so)\b")
_BACKED = re.compile(r"(?:because|since|as|given|based on|after|considering|from|with|thank)\b")
_GOES_ON = re.compile(
    r"(?:because|since|as|so|to|in order|for|given|in the hope|hoping|now|next|first|again|please|"
    r"plz|pls|thanks|thank you|"
    r"it is|without (?:intervening|setting|touching|changing)|while|keeping|leaving|holding|"
    r"this (?:time|turn|round|step)|"
    r"(?:(?:and|and then|then) )?(?:see|observe|check|look|find|watch|test whether|record|note|"
    r"measure|learn)\b)"
)
_IS_IT = re.compile(
    r"(?:is|seems|looks|would be|will be) (?:(?:to be|my|the|our|a|single|final|best|next|chosen|"
    r"right|"
    r"most|informative|good|optimal|safe|clear) ){0,4}"
    r"(?:choice|answer|action|pick|decision|move|experiment|intervention|reply|best|it|one)\W*$"
)
"""What says of an action that it is the one."""
_EXPECTS = re.compile(
    r"\W{0,3}(?:which (?:should|will|may|might|could|would) (?:then )?(?:raise|lower|increase|"
    r"decrease|show|"
    r"tell|help|reveal|give|make|let|allow|maximi[sz]e|minimi[sz]e|push|bring|drive)\b"
    r"|(?:=>|->|\u2192) ?[^\d=]{3,80}$)"
)
_ANOTHER = re.compile(r"[\s|/,;:&~-]*(?:(?:to|or|and|through|until|then) )?[+-]?\.?\d")
_LEADS = frozenset(
    """i we let's lets let us me my our the a an this that next first second third then now so thus
    therefore hence ok okay alright sure yes well great good right certainly finally begin start
    starting begins with by will i'll we'll shall am i'm going gonna to choose chose pick select
    go decide decided propose suggest like want need i'd we'd try test run perform make do
    execute carry out take action answer reply response choice move decision experiment
    intervention step is be of for here here's it's it in use final best most informative optimal
    useful effective and just simply only please new current trial turn round one play opt
    trying by selecting setting doing taking choosing putting removing changing intervene
    plan chosen selected hereby proceed continue print return call calling but instead still
    anyway on at going mean kindly lemme commit settle conclude submit vote pass let think
    actually rather sorry
    correction oops wait testing intervening probably then, again more also meant apply applying
    executing running performing submitting time prefer picking up
    proceeding accordingly consequently immediately short decided respond line leaves us
        better""".split()
)
_SELF_THEN = re.compile(
    r"(?:^|[\s,])(?:i|we)(?:'ll| will| shall|'m going to| am going to| are going to|"
    r" now| therefore| thus| then| simply| just| must| should| choose| pick| select| go| with| for|"
    r" commit| to| settle| on| opt| play| like| set| do| test| try| answer| want| need| decide|"
    r" first){0,6}$"
)
_TURNS = re.compile(
    r"(?:so|but|therefore|thus|hence|still|anyway|instead|yet|however|i'll|i will|we'll|we will|"
    r"let's|"
    r"i am going to|i'm going to|i choose|i pick|i select|i go|i do|my (?:action|answer|choice))\b"
)
_INTENT = re.compile(
    r"\b(?:i|we) (?:should(?: now| next)?|must|would like to|would choose to|would now|'d like to|"
    r"have to|decided to|have (?:decided|chosen)(?: to| on)?|"
    r"(?:think|guess|believe|suppose)(?: (?:i|we)(?:'ll| will| should)?)?)(?! have\b)(?=[ :]|$)"
    r"|\b(?:i|we)'(?:d (?:like to|choose to|go with|pick|choose)|ve (?:decided|chosen)(?: to|"
    r" on)?)(?=[ :]|$)"
)
_SELF = re.compile(
    r"(?:(?:so|now|next|then|first|okay|ok|well)[ ,]{1,2})?"
    r"(?:i|we|let's|let me|let us|i'll|i'm|to)\b"
)
_ANSWERED = re.compile(
    r"^\W{0,4}(?:(?:(?:no|nope|nah)\b ?[,.!:\u2014-]{1,2}|(?:wait|actually|sorry|oops|scratch that|"
    r"correction)\b ?[,.!:\u2014-]{0,2}|(?:here|there) (?:you go|we go|it is|goes)\b ?[:,.!]?|"
    r"without further ado ?[:,]?)\s{0,2}){1,4}"
)
_NUMBERED = re.compile(r"\b(?:option|candidate|number|choice) (?:#?\d{1,2}|[a-d])\b(?=\W*$)")
_CAME = re.compile(r"\W{0,3}which (?:has |had |then )?[a-z]{2,14}ed\b")
_AFTER = re.compile(r"\b(?:after|upon|with|under|when|for)[\s\"'`*_]*$")
_EXAMPLE = re.compile(r"(?:for example|such as|e\.g\.|\blike(?: so| this)?)[\s:,]{0,3}$")
_REPORT = re.compile(
    r"\W*(?:(?:current|tool|last|latest|new) )?(?:observation|result|output|reading|state|"
    r"feedback|log|history)s?\W*"
)
_THE_ONE = re.compile(
    r"(?:(?:so|thus|therefore|hence|and),? )?(?:the|my|our) (?:(?:final|best|better|clear|obvious|"
    r"optimal|"
    r"right|correct) )?(?:winner|choice|pick|answer|decision|one) is:?"
)
_ORDERS = re.compile(r"(?:please )?(?:reply|respond|answer) (?:with|by|using|in)\b")
"""What tells somebody else to say an action, as rules do."""
_DEPENDS = re.compile(r"(?:as|what|that|which|how|where|than) (?:i|we)\b")
_AGAINST = re.compile(r"(?:but|however|yet|still|nevertheless),? (?:i|my|we)\b")
_MEANS = re.compile(r"(?:^|[\s,])(?:i\.?e\.?|that is|namely|in other words|meaning)[,:]?$")
_BLANK = " \n*_`~$\\|#"
_CLOSERS = " \n*_`~$\\|>)]}"
_QUOTES = "\"'"
_ASIDE = frozenset("([-:;#/,\u2013\u2014")
_OPENERS = re.compile(
    r"\s{0,3}(?:,|;|and|or|then|nor|and then|&&?|/|\||\+|,? and|,? or)?[\s*_`\"']{0,6}$"
)
"""What stands between two actions of one kind: a row."""


def standing(
    before: str, after: str, lead: str, rest: str, head: str = "", earlier: Standing | None = None
) -> Standing:
    """What an action is that a text names.

    Args:
        before, after: the rest of its sentence, in lower case.
        lead: the sentence before that, in lower case.
        rest: all that is said after it, in lower case.
        head: the line that opened its list or section, in lower case.
        earlier: what the action before it in its sentence is; `before` begins after that one.
    """
    if CROSSED.search(before) or NO_SIGN.search(after):
        return "denied"
    before, after = _bare(before, after)
    if earlier is not None and _OPENERS.match(before):
        return earlier  # one more in a row
    if taken_back(after) or taken_back(rest):
        return "denied"
    away = _points_away(lead) or (_points_away(head) if head else None)
    if away is not None:
        return away
    if _asks(after):
        return "aside"
    if before.count('"') % 2:
        return "aside" if QUOTED.search(before) or QUOTED.search(lead) else "other"
    if REPORTS.match(after) or WOULD_HAVE.match(after):
        return "aside"
    if REFUSES.search(before) or (earlier is not None and OVER.search(before)):
        return "denied"
    if _leads(before) and _follows(after):
        return "own"
    if _AFTER.search(before) and CAME_OF.search(after[:80]):
        return "aside"
    if _said_by_others(before) or _remembered(before):
        return "aside"
    return "doubted" if NOT.search(before) or NOT.match(after.lstrip()) else "other"


def leads_on(after: str) -> bool:
    """Whether what stands between two actions of a sentence, in lower case, only leads to the
    second."""
    bare = re.sub(r"^(?:and|but) ", "", after.strip(" ,;:("))
    return _OPENERS.match(after) is not None or OVER.match(bare) is not None or _resolved(bare)


def _bare(before: str, after: str) -> tuple[str, str]:
    """Without formatting, and without quotation marks that hold the action alone."""
    before, after = before.rstrip(_BLANK), after.lstrip(_CLOSERS)
    for _ in range(3):
        if (
            before[-1:]
            and before[-1:] in _QUOTES + "([{<"
            and (after[:1] in _QUOTES + ")]}>" or not after)
        ):
            before, after = before[:-1].rstrip(_BLANK), after[1:].lstrip(_CLOSERS)
        elif after[:1] and after[:1] in _QUOTES and not before:
            after = after[1:].lstrip(_CLOSERS)
        else:
            break
    return before, after


def _points_away(lead: str) -> Standing | None:
    """What follows a sentence that says that it is not meant; None: it does not say so."""
    if _EXAMPLE.search(lead) or _REPORT.fullmatch(lead):
        return "aside"
    end = lead.rstrip(_BLANK + _QUOTES)[-1:]
    opens = (
        end in (":", "\uff1a")
        or lead.startswith("#")
        or (end.isalpha() and ":" not in lead and not _SELF.match(lead))
    )
    if not opens and POINTS.search(lead) is None:
        return None
    last = _clauses(lead)[-1:] or [""]
    if opens and (CONDITION.search(lead) or MAYBE.search(last[0]) or DEFERS.search(last[0])):
        return "other"
    if NOT.search(last[0]) and not (opens and _intends(last[0].lstrip("#* "))):
        return "denied"
    if _said_by_others(lead) or (opens and PAST.search(last[0])):
        return "aside"
    if opens and (DENYING.search(last[0]) or FRAMING.search(lead)) and not lead.isascii():
        return "other"
    return "other" if not opens and (MAYBE.search(lead) or CONDITION.search(lead)) else None


def _said_by_others(text: str) -> bool:
    """Whether it gives another's words; not where these are only what a resolution is based on."""
    found = [c for c in _clauses(text) if QUOTED.search(c)]
    return bool(found) and not all(_BACKED.match(c) and c.endswith(",") for c in found)


def _remembered(before: str) -> bool:
    return BY_THEN.search(_clauses(before)[-1] if before.strip() else "") is not None


def _clauses(text: str) -> list[str]:
    parts = re.split(r"(?<=[,:;\uff0c\u3001\uff1a])| - |\u2013|\u2014", text)
    return [c for c in (p.strip(_BLANK) for p in parts) if c]


def _asks(after: str) -> bool:
    return after.startswith("?") or after.rstrip(_CLOSERS + _QUOTES + "-").endswith("?")


def _leads(before: str) -> bool:
    """Whether what comes before an action in its sentence ends in a resolution to do it."""
    said = _INTENT.sub("i will", _NUMBERED.sub("it", _ANSWERED.sub("", before)))
    if said.rstrip().endswith(("=>", "\u21d2")):
        return not _cued(said)
    if said.rstrip().endswith(("-", "/", "=", "&", "@", "%", "^", "<", "|")) or DEFERS.search(said):
        return False
    clauses = _clauses(said)
    if clauses and _ORDERS.match(clauses[-1]):
        return False
    if clauses and _THE_ONE.fullmatch(clauses[-1]):
        return not (CONDITION.search(said) or _said_by_others(said))
    for place, clause in enumerate(clauses):
        last = place == len(clauses) - 1
        if _EXAMPLE.search(clause):
            return False
        if clause.endswith((":", "\uff1a")) or (last and not clause.endswith((",", ";"))):
            if not (
                _resolved(clause.rstrip(":")) or _intends(clause) or _turns_to(clause) or
                CHOOSES.fullmatch(clause) is not None or
                (clause.endswith((":", "\uff1a")) and labels(clause[:-1])) or
                (place and _MEANS.search(clause) and _SELF.match(clauses[0]))
            ):  # fmt: skip
                return False
        elif CONDITION.search(clause) or DENYING.search(clause) or FRAMING.search(clause):
            return False
        elif QUOTED.search(clause):
            if not _BACKED.match(clause) and not _AGAINST.match(clauses[-1]):
                return False
        elif _REASON.match(clause):
            if re.search(r"\bwould have\b", clause):
                return False
        elif NOT.search(clause) or PAST.search(clause) or MAYBE.search(clause):
            if place + 2 < len(clauses) or not _TURNS.match(clauses[-1]):
                return False
    return True


def _resolved(clause: str) -> bool:
    words = [w for w in re.findall(r"[^\s*_`~()\[\]{}\"]+", clause) if re.search(r"\w", w)]
    return len(words) <= 16 and all(
        w.strip(",.#") in _LEADS or w.strip("#.").isdigit() for w in words
    )


def _intends(clause: str) -> bool:
    """Whether it says what its writer is about to do, before a colon."""
    begins = _SELF.match(clause)
    return clause.endswith(":") and begins is not None and not _cued(clause)


def _turns_to(clause: str) -> bool:
    """Whether a clause ends in a resolution in one's own name, and says nothing against it."""
    found = _SELF_THEN.search(clause.rstrip(":"))
    return found is not None and not _cued(clause) and _DEPENDS.match(clause) is None


def _cued(text: str) -> bool:
    return any(cue.search(text) for cue in (NOT, CONDITION, MAYBE, PAST, QUOTED, DEFERS))


def _follows(after: str) -> bool:
    """Whether what comes after an action in its sentence leaves it as it is."""
    said = after.lstrip(_CLOSERS + _QUOTES + ".,;:!-(\u2013\u2014/")
    if not re.search(r"\w", said):
        return True
    if QUOTED.search(said) or DEFERS.search(said) or ALSO.match(after) or _CAME.match(after):
        return False
    if _ANOTHER.match(after) or ("=" in said and not re.match("because|since", said)):
        return False  # perhaps another value
    if (
        _GOES_ON.match(said)
        or _IS_IT.match(said)
        or (_EXPECTS.match(after) and not NOT.search(after))
    ):
        return True
    first = after.lstrip(" \n*_`~)]}" + _QUOTES)[:1]
    if first not in _ASIDE or "=" in said or (first in ",;/" and re.search(r"\d", said)):
        return False  # perhaps another setting
    return not (
        NOT.search(said) or MAYBE.search(said) or CONDITION.search(said) or PAST.search(said)
    )
