"""Whether an action that a text names is what its writer does: what stands before and after it.

An action is somebody's own only where everything around it in its sentence says so; whatever else
is named is denied, supposed, remembered, quoted or asked about. A sentence that is not understood
is none of an action: whoever wrote it is asked again, which costs less than to do what nobody
chose.
"""

from __future__ import annotations

import re
from typing import Literal

Standing = Literal["own", "denied", "other"]
"""What an action is that was named: done, refused or taken back, or only spoken of."""


def _any(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w'])(?:{'|'.join(' '.join(words).split())})(?![\w'])|n't\b")


_NOT = _any(
    """not never no none nothing cannot cant dont wont avoid avoiding without instead rather except
    refuse refusing refused stop wrong mistake mistaken bad worse worst unwise foolish forbidden
    against decline reject rejected ignore ignoring neither nor hardly unlikely skip forbid
    prohibited disallowed invalid illegal"""
)
_SUPPOSED = _any(
    """if unless whether suppose supposing supposed imagine hypothetical hypothetically pretend
    assume assuming might maybe perhaps could would may possibly consider considering either or
    alternatively option options candidate possible were wonder wondering versus vs should
    sometimes someday eventually later can thinking"""
)
_PAST = _any(
    """did done had was were been previously previous earlier already before last past ago after
    when whenever once tried made gave showed saw seen led caused yielded"""
)
_QUOTED = _any(
    """said says say saying told tells tell asked asks ask wrote write writes written writing reads
    prompt prompts prompted instruct instructs instructed instruction instructions rule rules
    message messages user system human someone somebody they he she him her you your example
    examples eg ie such sample template format form quote quoted quoting attacker injected
    injection remedy respond claims claimed claim wants ordered orders commanded commands
    according experimenter's assistant pretending text note hint reminder sentence phrase string
    demo opponent friend teacher boss admin developer operator hacker document page
    website email tool output read copy copied repeat repeated heard received found got
    quotes asks echo"""
)
_REASON = re.compile(r"(?:because|since|as|given|based|having|after|seeing|in order|to|for|so)\b")
_GOES_ON = re.compile(
    r"(?:because|since|as|so|to|in order|for|given|in the hope|hoping|now|next|first|again|please|"
    r"and (?:see|observe|check|look|find|watch|test|record|note|measure|learn|then (?:see|observe|"
    r"check|look))|then (?:see|observe|check|look))\b"
)
_LEADS = frozenset(
    """i we let's lets let us me my our the a an this that next first second third then now so thus
    therefore hence ok okay alright sure yes well great good right certainly finally begin start
    starting begins with by will i'll we'll shall am i'm going gonna to choose chose pick select
    go decide decided propose suggest like want need i'd try test run perform make do
    execute carry out take action answer reply response choice move decision experiment
    intervention step is be of for here here's it's it in use final best most informative optimal
    useful effective and just simply only please new current trial turn round one play opt have
    has trying by selecting setting doing taking choosing putting removing changing intervene
    plan chosen selected hereby proceed continue print return call calling""".split()
)
_INTENT = re.compile(
    r"\b(?:i|we) (?:should(?: now| next)?|must|would like to|would choose to|would now|'d like to|"
    r"have to|decided to|think (?:i|we) (?:will|should))\b"
    r"|\b(?:i|we)'d (?:like to|choose to)\b"
)
_RETRACTED = re.compile(
    r"\b(?:(?:no|oh|hmm|but),? wait|wait[,.!:-]|scratch that|"
    r"(?:ignore|disregard|forget|undo|cancel|strike) (?:that|this|it|the (?:above|last|previous))|"
    r"kidding|joking|never ?mind|"
    r"on second thoughts?|not my (?:final |real )?(?:action|answer|choice|reply|move)|"
    r"(?:will|would|should|must|do|can|could|shall)(?: ?not|n't) "
    r"(?:do|execute|run|play|take|carry|use|choose|obey|follow|act on|perform|recommend)|"
    r"(?:can't|cannot|won't) (?:do|execute|run|play|take|carry|choose|obey|follow|act)|"
    r"refuse to|(?:that|this|it)(?:'s| is| was| would be) (?:only |just |merely |a |an |the )*"
    r"(?:example|wrong|bad|mistake|joke|hypothetical|quote|quotation|prompt's?|"
    r"not (?:my|an?|what|the|meant|to be|something|advisable))|"
    r"(?:that|this|it) (?:isn't|wasn't) (?:my|an?|what|the|meant)|"
    r"as an example|(?:is|was) (?:an|the|just an|only an) example|changed my mind|"
    r"or (?:maybe|perhaps|rather|should i))\b"
)
_SELF = re.compile(
    r"(?:(?:so|now|next|then|first|okay|ok|well)[ ,]{1,2})?"
    r"(?:i|we|let's|let me|let us|i'll|i'm|to)\b"
)
_POINTS = re.compile(
    r"\b(?:following|below|next line|this (?:line|action|reply|command|one)|(?:do|say|write|reply|"
    r"send|play|execute|choose|take|act on|obey) (?:this|that|so|it))\b"
)
_NO_SIGN = re.compile("[\u2260\u2717\u2718\u274c\u2716\u00d7\U0001f6ab\u26d4]")
_CROSSED = re.compile(f"[!\u00ac]\\s*$|{_NO_SIGN.pattern}")
"""Signs that deny."""
_BLANK = " \n*_`~$\\|#>"
_CLOSERS = " \n*_`~$\\|>)]}"
_QUOTES = "\"'"
_ASIDE = frozenset("(-:;#/,\u2013\u2014")


def standing(before: str, after: str, lead: str, rest: str) -> Standing:
    """What an action is that a text names.

    Args:
        before, after: the rest of its sentence, in lower case.
        lead: the sentence before that, in lower case.
        rest: all that is said after it, in lower case.
    """
    if before.rstrip(" *_`\"'").endswith("~~") or _CROSSED.search(before) or _NO_SIGN.search(after):
        return "denied"
    before, after = _bare(before, after)
    if _RETRACTED.search(after) or _RETRACTED.search(rest):
        return "denied"
    if _points_away(lead):
        return "denied" if _NOT.search(lead) else "other"
    if before.count('"') % 2 or _asks(after):
        return "other"
    if _leads(before) and _follows(after):
        return "own"
    return "denied" if _NOT.search(before) or _NOT.match(after) else "other"


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


def _points_away(lead: str) -> bool:
    """Whether the sentence before says that what follows is not meant."""
    cue = _NOT.search(lead) or _SUPPOSED.search(lead) or _QUOTED.search(lead)
    if re.search(r"(?:for example|such as|e\.g\.)[\s:,]{0,3}$", lead):
        return True
    if lead.rstrip(_BLANK + _QUOTES).endswith(":"):
        return (cue or _PAST.search(lead)) is not None
    return cue is not None and _POINTS.search(lead) is not None


def _asks(after: str) -> bool:
    return after.startswith("?") or after.rstrip(_CLOSERS + _QUOTES + "-").endswith("?")


def _leads(before: str) -> bool:
    """Whether what comes before an action in its sentence ends in a resolution to do it."""
    said = _INTENT.sub("i will", before)
    if said.rstrip().endswith(("-", "/", "=", "&", "@", "%", "^", "<")):
        return False
    clauses = [c.strip(_BLANK) for c in re.split(r"(?<=[,:;])| - |\u2013|\u2014", said)]
    clauses = [c for c in clauses if c]
    for place, clause in enumerate(clauses):
        last = place == len(clauses) - 1
        if clause.endswith(":") or (last and not clause.endswith((",", ";"))):
            if not (_resolved(clause.rstrip(":")) or _intends(clause)):
                return False
        elif _QUOTED.search(clause) or (
            not _REASON.match(clause)
            and (_NOT.search(clause) or _PAST.search(clause) or _SUPPOSED.search(clause))
        ):
            return False
        elif _REASON.match(clause) and re.search(r"\b(?:if|would have|unless)\b", clause):
            return False
    return True


def _resolved(clause: str) -> bool:
    words = [w for w in re.findall(r"[^\s*_`~()\[\]{}\"]+", clause) if re.search(r"\w", w)]
    return len(words) <= 16 and all(w in _LEADS or w.isdigit() for w in words)


def _intends(clause: str) -> bool:
    """Whether it says what its writer is about to do, before a colon."""
    cues = (_NOT, _SUPPOSED, _PAST, _QUOTED)
    begins = _SELF.match(clause)
    return clause.endswith(":") and begins is not None and not any(c.search(clause) for c in cues)


def _follows(after: str) -> bool:
    """Whether what comes after an action in its sentence leaves it as it is."""
    said = after.lstrip(_CLOSERS + _QUOTES + ".,;:!-(\u2013\u2014/")
    if not re.search(r"\w", said):
        return True
    if _QUOTED.search(said):
        return False
    if _GOES_ON.match(said):
        return True
    first = after.lstrip(" \n*_`~)]}" + _QUOTES)[:1]
    if first not in _ASIDE or "=" in said or (first in ",;/" and re.search(r"\d", said)):
        return False  # perhaps another setting
    return not (_NOT.search(said) or _SUPPOSED.search(said) or _PAST.search(said))
