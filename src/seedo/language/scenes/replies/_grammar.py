"""How actions can be said: what a scene tells the reader of replies."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from seedo.language.scenes.replies._malformed import LONGEST_LINE, UNDONE, Malformed
from seedo.language.scenes.replies._tongues import SETTING_ABROAD

Place = Literal["anywhere", "meant", "alone"]
"""Where a phrase is an action, see `Phrase`."""


class Phrase(NamedTuple):
    """A way to say actions.

    Attributes:
        pattern: finds one in a text of single spaces.
        line: the line of the form that is asked for that says the same as a match.
        place: where it is an action: `anywhere` in a sentence; only where its writer says to do it
            (`meant`); or only where it is the whole sentence (`alone`). The words of the last two
            are those of ordinary speech.
    """

    pattern: re.Pattern[str]
    line: Callable[[re.Match[str]], str]
    place: Place = "anywhere"


class Grammar(NamedTuple):
    """What can be said at a step.

    Attributes:
        read: the action that a line of the form that is asked for stands for, or Malformed.
        write: such a line for an action.
        phrases: other ways to say actions.
        tools: acting tools by name; objects with `parameters` and `call`, see `scenes.Tool`.
    """

    read: Callable[[str], Any | Malformed]
    write: Callable[[Any], str]
    phrases: Sequence[Phrase] = ()
    tools: Mapping[str, Any] = {}

    def line(self, text: str) -> str | None:
        """The line that a text says which is an action and nothing else, legal or not; None: it is
        none."""
        bare = " ".join(text.strip(_WRAPPED).split())
        if not bare or len(bare) > LONGEST_LINE:
            return None
        for phrase in self.phrases:
            if (match := phrase.pattern.fullmatch(bare)) is not None:
                return phrase.line(match)
        found = self.read(bare) if bare.isascii() else None
        if isinstance(found, Malformed):
            return bare if found.reason in UNDONE else None
        return bare if found is not None else None


BEGIN = r"(?<![\w'-])"
"""Before a phrase: no letter."""

END = r"(?=$|[.,](?!\w)|[\s;:!?()\[\]{}\"'*`<>|$\\#]|[_-](?:$|[\s.,;:!?*_`]))"
"""After a word of a phrase: no letter, of whatever script."""

_DRESS = r"[\"'*_`<\[({$]{0,3}"
_UNDRESS = r"[\"'*_`>\])}$]{0,3}"
_SIGNED = r"(?:(?:minus|negative|plus|positive) )?[+-]? ?"
_TOKEN = r"[^\s()\[\]{}\"'`*~<>|=&#;,:!?\\$]"
_COUNTED = dict(
    zip("zero one two three four five six seven eight nine ten".split(), range(11), strict=True)
)
_ANY = rf"(?P<value>{_SIGNED}(?:\d,\d(?![\d,])|{_TOKEN}{{1,40}}))"
_NUMBER = (
    rf"(?P<value>{_SIGNED}(?:\d,\d(?![\d,])|\.?\d{_TOKEN}{{0,40}}|(?:{'|'.join(_COUNTED)})\b))"
)
_WRAPPED = " \n*_`~$\\|\"'()[]{}<>.,;:!"
_SETTING = (
    "set|fix|assign|force|hold|clamp|pin|put|change|adjust|move|bring|make|raise|lower|push|drive|"
    "increase|decrease|give"
)
_CHOOSING = (
    "choose|pick|select|go with|opt for|commit to|settle on|decide on|try|test|use|play|run|"
    "perform|apply|execute|take|(?:choice|pick|answer|action|decision|intervention|experiment|"
    "selection|move) is"
)
_MEANING = (
    "doing|setting|fixing|assigning|forcing|holding|clamping|pinning|putting|intervening on|"
    "choosing|picking|selecting|testing|trying|going with"
)
_AIMED = "intervene on|act on|manipulate|perturb|target|probe|vary|test|try|choose|pick|select|take"
_LEVELS = (
    r"(?: ?\()?(?: ?(?:the|its|a|an))?(?: ?(?P<level>high|low|highest|lowest|maximum|minimum|max|"
    r"min|upper|"
    r"lower)(?:er|est)?)?(?: ?(?:new|extreme|allowed|legal|possible|fixed|constant|value|level|"
    r"setting|number)){0,3}(?: of| is)?,? ?[(:=]?"
)
"""What can stand between a variable and its value: `to the high value of`."""


def choice(words: Sequence[str]) -> str:
    """One of some words, perhaps in bold, quotes or brackets: a group `name`."""
    ranked = sorted(map(re.escape, words), key=len, reverse=True)
    return rf"{_DRESS}(?P<name>{'|'.join(ranked)}){_UNDRESS}"


def compiled(pattern: str) -> re.Pattern[str]:
    """In either case of ASCII letters alone: folding would take other letters for ours."""
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


@functools.lru_cache(maxsize=256)
def setting_phrases(names: tuple[str, ...]) -> tuple[Phrase, ...]:
    """Ways to say that one of these variables is set: `do(x = 2)`, `set x to 2`, `x=2` alone.

    The line is `do NAME=VALUE`.
    """
    known = choice(names)
    any_value, number = (rf"{_DRESS}{kind}{_UNDRESS}" for kind in (_ANY, _NUMBER))
    article = r"(?:the )?(?:value of )?(?:variable )?"
    equals = r" ?(?::=|==|=|<-|\u2190) ?"
    to = (
        r"(?: ?(?:->|:|\u2192|,) ?|(?: (?:to|to be|at|equal to|equals|as|"
        rf"with))?{_LEVELS} ?(?<=[ (:=]))"
    )
    opening = r"(?: ?[(\[{]{1,2} ?| ?: ?| )"
    closing = r" ?[)\]}]{0,2}"
    verb = rf"{BEGIN}(?:do|intervene(?: on| with)?|{_SETTING})[*_`]{{0,3}}"
    it = r"(?:it|its value|this|that|this variable|that variable|the value|the variable)"
    forms: tuple[tuple[Place, str], ...] = (
        ("anywhere", rf"{verb}{opening}{article}{known}{equals}{any_value}{closing}"),
        ("anywhere", rf"{verb}{opening}{article}{known}{to}{number}{closing}"),
        (
            "anywhere",
            rf"{BEGIN}(?:{_CHOOSING}) (?:intervention )?{article}{known}{equals}{any_value}"
            rf"{closing}",
        ),
        ("anywhere", rf"{BEGIN}(?:{_CHOOSING}) {article}{known} (?:to|at) {number}{closing}"),
        (
            "anywhere",
            rf"{BEGIN}(?:{_AIMED}) {article}{known}[,:]?(?: and| by| to| then)? "
            rf"(?:{_SETTING}|{_MEANING}) {it}{to}{number}{closing}",
        ),
        (
            "anywhere",
            rf"{BEGIN}do{opening}(?P<name>[^\s=()\[\]{{}}\"'`*,:]{{1,40}}) ?= ?{any_value}"
            rf"{closing}",
        ),
        ("meant", rf"{BEGIN}(?:{_MEANING}){opening}{article}{known}(?:{equals}|{to}){number}"),
        ("alone", rf"{known}(?:{equals}| ?: ?){any_value}"),
        ("alone", rf"{known} ?(?:->|\u2192) ?{number}"),
        ("anywhere", rf"{BEGIN}(?:assign|give)(?: the value)? {number} to {article}{known}"),
        ("alone", rf"{known} to {any_value}"),
        ("alone", rf"(?:variable|name) ?[:=] ?{known},? (?:and )?value ?[:=] ?{any_value}"),
        *(("alone", form.format(known=known, value=number)) for form in SETTING_ABROAD),
    )
    return tuple(Phrase(compiled(pattern), _setting, place) for place, pattern in forms)


def _setting(match: re.Match[str]) -> str:
    value = plain_number(match["value"])
    level = (match.groupdict().get("level") or "").casefold()
    between = match.string[match.end("name") : max(match.end("name"), match.start("value"))]
    if between.startswith(">") and match.string[match.start("name") - 1 :][:1] != "<":
        return f"do {match['name']}=>{value}"  # a comparison
    if level and level.startswith(("low", "min")) != value.startswith("-"):
        return f"do {match['name']}={level}"  # "low (2)": not both
    return f"do {match['name']}={value}"


def plain_number(text: str) -> str:
    """A number as a line has it: `minus 2` is -2, `2,0` is 2.0, `two` is 2, a full stop is none of
    it."""
    bare = text.rstrip(".").replace(" ", "").casefold()
    for word, sign in (("minus", "-"), ("negative", "-"), ("plus", ""), ("positive", "")):
        bare = bare.replace(word, sign, 1) if bare.startswith(word) else bare
    digits = bare.lstrip("+-")
    if digits in _COUNTED:
        bare = f"{bare[: len(bare) - len(digits)]}{_COUNTED[digits]}"
    return bare.replace(",", ".")


_AGAIN = (
    r"(?: (?:only|again|now|first|once|once more|more|nothing else|passively|for now|instead|"
    r"(?:for )?th(?:is|e next) (?:round|turn|step|time|experiment)))"
)
_SYSTEM = (
    r"(?: (?:the |its )?(?:whole |natural |undisturbed |current |entire )?(?:system|variables))?"
)
_SAMPLE = r"(?:(?:passive|observational|undisturbed) (?:sample|reading|measurement)|observation)"

_NO_SETTING = (
    r"(?:(?:not intervening|(?:no|without|rather than|instead of) (?:an? )?(?:interven\w{1,6}|"
    r"action|setting)|"
    r"(?:i|we) (?:won't|will not|don't|do not|shall not)(?: want to| need to)? intervene)"
    r"(?: yet| now| here| again| this time)?[ ,:;.-]{1,3}(?:(?:just|only|i|i'll|let me|let's|so|"
    r"will) ){0,3})?"
)
OBSERVING = Phrase(
    compiled(
        rf"{BEGIN}(?:{_NO_SETTING}(?:just |only |simply |"
        rf"passively ){{0,2}}(?:observe(?: ?\( ?\))?|watch){_SYSTEM}"
        rf"|(?:make|take|do|collect|run) (?:a|an|one|another|one more)(?: pure| passive)? {_SAMPLE}"
        rf"){_AGAIN}{{0,3}}(?: ?[(,-]? ?(?:with )?no intervention\)?)?"
        r"(?= ?(?:$|[.,;:!?()\"'`*_\]}|\n-]|(?:and|to|so|because|since|without|before|as|for|while|"
        r"with|in|until|rather|than|or|then|here)\b))"
    ),
    lambda _: "observe",
    "meant",
)
"""That nothing is set."""
