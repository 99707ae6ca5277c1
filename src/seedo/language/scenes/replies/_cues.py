"""Words around an action that say whether it is meant: denial, condition, the past, other speakers,
and what takes an action back or puts another one in its place."""

from __future__ import annotations

import re


def _any(words: str, more: str = "") -> re.Pattern[str]:
    joined = "|".join(words.split())
    return re.compile(rf"(?<![\w'])(?:{joined})(?:'s)?(?![\w']){more}")


NOT = _any(
    r"""not never no none nothing cannot cant dont wont avoid avoiding without instead rather except
    refuse refusing refused stop wrong mistake mistaken bad worse worst unwise foolish forbidden
    against decline reject rejected ignore ignoring neither nor hardly unlikely skip forbid
    prohibited disallowed invalid illegal nobody waiting awaiting await pending avoided cancelled
    canceled
    skipped useless""",
    r"|n't\b",
)
CONDITION = re.compile(
    r"(?<![\w'])(?:(?<!see )(?<!check )(?<!test )(?<!out )(?<!know )(?<!learn )if|unless|suppose|"
    r"supposing|supposed|imagine|hypothetical|hypothetically|pretend|"
    r"assume|assuming|otherwise|else|whenever|when|once|until|provided|in case|depending|were|"
    r"given permission|with (?:your )?permission|"
    r"theory)(?![\w'])|^\s*(?:for \w{1,20}(?:, \w{1,20})? in|while|def|elif|with|try|"
    r"except)\b.{0,200}:\s*$"
)
MAYBE = _any(
    r"""(?<!see\s)(?<!check\s)(?<!test\s)(?<!out\s)(?<!know\s)(?<!learn\s)(?<!tell\s)whether might
        maybe perhaps could would may possibly consider considering either or
    alternatively alternative option options candidate candidates possible wonder wondering versus
    vs should sometimes someday eventually later can thinking ideally both tempted tempting
    torn between(?=\W*$) predicted"""
)
PAST = _any(
    r"""did done had was were been previously previous earlier already before last past ago after
    when whenever once tried tested made gave showed saw seen led caused yielded executed performed
    ran observed i've we've history log so\sfar rose fell dropped increased decreased
    changed became went stayed"""
)
QUOTED = _any(
    r"""said says say saying told tells tell asked asks ask wrote write writes written writing reads
    prompt prompts prompted instruct instructs instructed instruction instructions rule(?!\sout)
    rules message messages user human
    system(?=\s?(?:prompt|message|instruct|said|says|tells|wants|asks|:)) someone somebody they he
    she him her you your example
    examples eg ie such sample template format form quote quoted quoting attacker injected
    injection remedy respond claims claimed claim wants ordered orders commanded commands
    according experimenter's assistant pretending text note hint reminder sentence phrase string
    demo opponent friend teacher boss admin developer operator hacker document page
    website email tool(?!\scalls?\b) output read copy copied repeat repeated heard received found
    got
    quotes asks echo suggests suggested recommends recommended thinks believes expects insists
    proposes proposed advises urges demands requires colleague colleagues agent usage their his
    hers rumour rumor transcript like(?=(?:\s(?:so|this))?\W*$) syntax
    denotes defined definition exercise override"""
)

REPORTS = re.compile(
    r"[\s`\"'*_)]{0,4}(?:\([^()\n]{0,60}\)\W{0,3})?(?:was|were|gave|led|showed|had|has|made|"
    r"caused|yielded|"
    r"resulted|came|went|fell|rose|drove|brought|took|did|already|"
    r"(?!(?:follow|combin|repeat|pair|ne|bas|prefer|recommend|want|requir|compar)ed\b)"
    r"[a-z]{2,14}ed)\b"
)
"""What comes after an action that was done before."""

BY_THEN = re.compile(
    r"\b(?:did|done|tried|tested|was|were|been|made|had|seen|saw|ran|executed|performed|chose|"
    r"picked|"
    r"observed|previously|already|earlier|last time|history|so far|(?:i|we)'ve|(?:i|we) have|"
    r"instinct)\b"
    r"[^,;:]{0,60}(?:[:,] ?)?$"
)
"""What comes before an action that was done before, or that was only a thought."""

INSTEAD = re.compile(r"\b(?:instead of|rather than)[\s\"'`*_(]*$")
"""What denies an action and leads to another."""

CAME_OF = re.compile(r"\b(?:rose|fell|was|were|went|gave|showed|did|had|(?!ne)[a-z]{3,14}ed)\b")
"""What came of an action that was done."""

REFUSES = re.compile(
    r"(?:\b(?:not|never|avoid|avoiding|rather than|instead of|no (?:reason|need|point)|without|"
    r"against|"
    r"anything but|opposed to|cannot|other than)|n't)"
    r"(?: (?:to|going|go|with|simply|just|again|even|want|wish|like|choose|choosing|pick|select|"
    r"use|"
    r"set|do|doing|be|a|the|my|action|need|have|really|actually|ever|recommend|now|try|by|in|for|"
    r"reply|answer|bother|think|we|i|should|of|run|repeat|repeating)){0,6}[\s\"'`*_:(]*$"
)
"""What denies an action right before it."""

OVER = re.compile(
    r"(?:\b|^)(?:rather than|instead of|over|better than|not|unlike|as opposed to|compared (?:to|"
    r"with)|than)"
    r"(?: (?:to|a|the|second|another|doing|with))?[\s\"'`*_:(]*$"
)
"""What puts the action after it behind the one before it."""

WOULD_HAVE = re.compile(
    r"\W{0,3}(?:would (?:have|only|not|just|merely|also have|instead have|tell (?:us )?(?:less|"
    r"little|"
    r"nothing)|add (?:little|nothing)|be (?:less|worse|redundant|the (?:worse|worst|opposite)|"
    r"wrong|a (?:mistake|waste)))|would've|wouldn't|had been|could have been|might have)\b"
)
"""What comes after an action that would be done if things were different."""

_TAKEN_BACK = re.compile(
    r"\b(?:(?:no|oh|hmm|but|actually|hm|umm?)\W{1,3}wait\b|(?:^|(?<=[.!?\n])|(?<=[.!?\n] )|"
    r"(?<=[.!?\n]  ))wait[,.!:-]|"
    r"wait[.!:-]|hold on\b|scratch that\b|actually,? no\b|no, actually\b|"
    r"(?:ignore|disregard|forget|undo|cancel|strike|retract|withdraw) (?:that|this|it|my (?:last|"
    r"previous|"
    r"answer)|the (?:above|last|previous))\b|(?:take|took|taking) (?:that|this|it) back\b|"
    r"(?:kidding|joking|never ?mind)\b|let me (?:think (?:about|again|more|it over)|reconsider|"
    r"rethink|think again|re-?think|"
    r"start over|"
    r"re-?evaluate)\b|(?:pick|choose|try|do|select|find|use) (?:something|anything) (?:else|"
    r"different)\b|"
    r"(?:pick|choose|try|select|use) (?:another|a different)\b|"
    r"on second thoughts?\b|not my (?:final |real )?(?:action|answer|choice|reply|move)\b|"
    r"(?:will|would|should|must|do|can|could|shall)(?: ?not|n't) "
    r"(?:do|execute|run|play|take|carry|use|choose|obey|follow|act on|perform|recommend)\b|"
    r"(?:can't|cannot|won't) (?:do|execute|run|play|take|carry|choose|obey|follow|act)\b|"
    r"refuse to\b|(?:that|this|it)(?:'s| is| was| would be) (?:only |just |merely |a |an |the )*"
    r"(?:example|wrong|bad|mistake|joke|hypothetical|quote|quotation|prompt's?|incorrect|illegal|"
    r"not (?:my|what|meant|to be|something|advisable|right|correct|allowed|legal|good|(?:an?|the) "
    r"(?:\w+ ){0,2}(?:action|answer|choice|reply|command|instruction|decision|move|idea|"
    r"experiment|line|"
    r"request)))\b|(?:that|this|it) (?:isn't|wasn't) (?:my|an?|what|the|meant|right|correct|"
    r"allowed|legal)\b|"
    r"as an example\b|(?:is|was) (?:an|the|just an|only an) example\b|changed my mind\b|"
    r"(?:that|this|it) (?:might|may|could) be (?:wrong|incorrect|a mistake)\b|(?:can't|cannot) be "
    r"(?:right|correct)\b|or (?:maybe|perhaps|rather|should i|alternatively)\b)"
)
_LEFT_OPEN = re.compile(
    r"\b(?:or not|(?<=[.;(\n] )alternatively|(?<=[.;(\n])alternatively|either (?:one|way|"
    r"of (?:them|these|those)|works|is fine|would do)|whichever|"
    r"(?:both|either|any)(?: of (?:them|these|those|which))? (?:are|is|work|works|will|would|do|"
    r"does|"
    r"reach|reaches) |(?:doesn't|does not|don't|do not) matter|up to you|you (?:can )?(?:choose|"
    r"pick|"
    r"decide)|your (?:choice|call|pick)|"
    r"(?:shall|should|may|can) (?:i|we) (?:proceed|go ahead|do (?:this|that|it|so)|run|execute|"
    r"start)|"
    r"(?:would you like|do you want|want) me to (?:proceed|go ahead|do|run|execute|set|start)|"
    r"(?:await|awaiting|wait for|waiting for|pending|subject to) (?:your |the )?(?:confirmation|"
    r"approval|"
    r"permission|go-ahead|reply|answer)|please confirm|if (?:you|that|this) (?:agree|approve|"
    r"is (?:ok|okay|"
    r"allowed|fine))|(?:is|does) (?:that|this) (?:ok|okay|alright|all right|sound|work|acceptable|"
    r"allowed|legal))\b"
)

CORRECTS = re.compile(
    r"\b(?:actually|sorry|oops|correction|corrected|i mean|i meant|on reflection|wait|instead|"
    r"my (?:bad|"
    r"mistake)|apologies|apologi[sz]e|rather|scratch that|no[,:.]|should be|changed my mind|"
    r"but no|but (?:i|we)(?:'ll| will| choose| do| go| am))(?! of\b)"
    r"(?! than\b)"
)
"""What puts the action after it in the place of the one before it."""

IN_ORDER = re.compile(
    r"\b(?:then|next|after(?:wards?| that)?|second(?:ly)?|third(?:ly)?|later|finally|lastly|also|"
    r"too|"
    r"as well|followed by|and|plus|subsequently|or)\b(?!,? (?:i|we) therefore)"
)
"""What puts the action after it in a row with the one before it."""

ALSO = re.compile(r"\W{0,6}(?:too|also|as well|second|both)\b")
"""What comes after an action that is one of several."""

DEFERS = re.compile(
    r"\b(?:(?:next|following|later|future|another|last|coming|final|other|remaining) (?:turn|"
    r"round|time|"
    r"phase|day|game|episode|turns|rounds)|at some point|after observing\b(?=, (?:do|set))|"
    r"after (?:this|that) (?:one|step|turn|"
    r"round|experiment|action)|one day|soon|"
    r"(?<!are )(?<!re )(?<!now )in the (?:exploit|next|second|final|last) "
    r"phase,? (?:i|we)(?:'ll| will)|tomorrow|afterwards|in the end|"
    r"when (?:i|we) (?:get|have|can))\b"
)
"""What puts an action off."""

POINTS = re.compile(
    r"\b(?:following|below|next line|this (?:line|action|reply|command|one)|(?:do|say|write|reply|"
    r"send|play|execute|choose|take|act on|obey) (?:this|that|so|it))\b"
)
"""What says of which words something is said: those that come next."""

NO_SIGN = re.compile("[\u2260\u2717\u2718\u274c\u2716\u00d7\U0001f6ab\u26d4]")
CROSSED = re.compile(f"[!\u00ac]\\s*$|{NO_SIGN.pattern}")
"""Signs that deny."""


def taken_back(text: str) -> bool:
    """Whether a text, in lower case, takes back what was said before it, or leaves it open."""
    return _TAKEN_BACK.search(text) is not None or _LEFT_OPEN.search(text) is not None
