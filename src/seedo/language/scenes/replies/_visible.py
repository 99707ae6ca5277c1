"""What of a reply its writer says: without hidden reasoning, marks of chats, and odd characters."""

from __future__ import annotations

import html
import re
from typing import NamedTuple

_SPACES = "\u00a0\u1680\u202f\u205f\u3000\t" + "".join(map(chr, range(0x2000, 0x200B)))
_PLAIN = (
    dict.fromkeys(map(ord, _SPACES), " ")
    | dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0f"))  # of no width
    | dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2212\ufe63\ufe58"), "-")
    | dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb\u300c\u300d"), '"')
    | dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u00b4"), "'")
    | dict.fromkeys(map(ord, "\u2028\u2029\u0085"), "\n")
    | {0x2581: "_"}  # in the marks of some tokenizers
    | {0x3002: ". ", 0x3001: ", ", 0x3010: "[", 0x3011: "]", 0x2039: '"', 0x203A: '"'}
    | {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}  # full width
)
"""Signs that are only another drawing of a plain one. Letters of other scripts are none: to take
them for ours would read a name that was not written."""

_DASH = re.compile(r"(?<=[=:(, ])[\u2013\u2014](?= ?\d)")
"""A dash that is the sign of a number."""
_COLOURS = re.compile(r"\x1b\[[\d;]{0,12}m")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_ESCAPED = re.compile(r"&(?:lt|gt|quot|amp|apos|nbsp|#\d{1,4}|#x[0-9a-fA-F]{1,4});")

_THOUGHT = (
    r"(?:seed:|ant|antml:|o1:)?(?:think|thinking|thoughts?|thought_process|reasons?|reasoning|"
    r"reflections?|scratchpad|analysis|inner_?(?:thoughts?|monologue|voice)|monologue|rationale|"
    r"cot|chain_of_thought|deliberation|internal)"
)
_IN_SQUARES = r"(?:think|thinking|thoughts?)"
_OPENED = re.compile(
    rf"<\|?(?:begin_?(?:of_?)?|start_?(?:of_?)?)?{_THOUGHT}\|?>"
    rf"|\[(?:begin_?(?:of_?)?|start_)?{_IN_SQUARES}\]|\u25c1think\u25b7",
    re.IGNORECASE,
)
_CLOSED = re.compile(
    rf"<(?:\|?/\|?|\|?end_?(?:of_?)?){_THOUGHT}\|?>|\[(?:/|end_?(?:of_?)?){_IN_SQUARES}\]"
    r"|\u25c1/think\u25b7",
    re.IGNORECASE,
)
_CHANNEL = re.compile(
    r"<\|channel\|>\s{0,2}(?P<name>\w{1,20})(?P<to>[^<]{0,60})(?:<\|constrain\|>\s?\w{0,10})?\s?"
    r"<\|message\|>"
)
_CALLED = re.compile(r"to=(?:functions\.)?(\w{1,40})")
_STRIPPED = re.compile(r"^\s{0,4}analysis(?=[A-Z\s\W])|assistant\s?final(?!ly\b)")
"""Names of channels whose marks were lost: what is thought begins with one, what is said with the
other."""

_FRAMES = re.compile(
    r"<\|/?(?:(?:begin|start|end)_?(?:of_?)?)?(?:solution|response|answer|action|final|output|text|"
    r"message|sentence|box|tool_?calls?(?:_section|_argument)?|function_?calls?|python_tag|"
    r"tool_sep|call|"
    r"constrain)(?:_(?:begin|end|start))?\|>"
    r"|\[/?(?:action|answer|final(?:[ _]answer)?|response|reply|output)\]",
    re.IGNORECASE,
)
"""Marks of chats around what a model says itself."""

_FOREIGN = re.compile(
    r"<(?P<tag>tool_(?:response|result|output)s?|observation|function_(?:results?|response)|"
    r"documents?|system|user|human|quote|blockquote|examples?|instructions?|context|history|log|"
    r"environment|prompt|rules?|results?|readings?|system-reminder|email|"
    r"webpage)(?:\s[^<>]{0,80})?>"
    r"(?:(?!</(?P=tag)>)[\s\S]){0,4000}(?:</(?P=tag)>|\Z)",
    re.IGNORECASE,
)
"""What is somebody else's."""

_IN_SQUARE = re.compile(
    r"\[(TOOL_RESULTS|AVAILABLE_TOOLS|SYSTEM_PROMPT)\](?:(?!\[/)[\s\S]){0,4000}(?:\[/\1\]|\Z)"
)
_STRUCK = re.compile(r"<(/?)(?:del|strike)>", re.IGNORECASE)
_NUMBERED = re.compile(
    r"^[ \t]{0,4}\[(?:step|turn|round|trial|experiment|action)s? ?\d[^\]\n]{0,20}\][ \t]{0,4}$",
    re.IGNORECASE | re.MULTILINE,
)
_PLAYED_ON = re.compile(
    r"\s{0,4}(?:<\|(?:im_end|eot_id|end)\|>\s{0,2})?(?:<\|(?:im_start|"
    r"start_header_id)\|>\s?)?(?:user|human|environment)\b[^\n\w]{0,20}"
    r"(?:$|[^\n]{0,60}[\w-]{1,40} ?[=:] ?-?\d|\s{0,4}[\w-]{1,40} ?= ?-?\d)",
    re.IGNORECASE,
)
"""A turn of whoever answers with results, which a model that plays on by itself invents."""

_END = re.compile(
    r"(?:\s{0,9}(?:<\|(?:im_end|eot_id|end|return|endoftext|end_of_text|eom_id|end_of_turn)\|>"
    r"|</s>|<end_of_turn>|<eos>|\[/?INST\]))+\s*$",
    re.IGNORECASE,
)
_OWN = "assistant|ai|agent|model|bot|player|experimenter|me"
_BEGIN = re.compile(
    r"\s{0,9}(?:<\|start_header_id\|>\s{0,2}assistant\s{0,2}<\|end_header_id\|>"
    r"|<\|python_tag\|>|\[/INST\]|<\|im_start\|>\s{0,2}assistant\b|<\|start\|>assistant|<\|assistant\|>"
    r"|<start_of_turn>\s{0,2}model\b|#{1,4} ?response:"
    rf"|#{{0,4}} ?\*{{0,2}}(?:{_OWN})\*{{0,2}} ?:\*{{0,2}})",
    re.IGNORECASE,
)
_TURN = re.compile(
    r"(?:^|\n)[ >*#]{0,6}(?:system|user|human|assistant|ai|environment|tool)\*{0,2} ?:"
    r"|(?:^|\n)[^\n:]{0,12}\b(?:system|user|human)\*{0,2} ?:"
    r"|(?:^|\n)#{1,4} ?(?:instructions?|response|input)\b|<\|[^|>\n]{1,30}\|>|\[/?INST\]"
    r"|<</?SYS>>|</?s>|<(?:start|end)_of_turn>",
    re.IGNORECASE,
)
_TAGS = re.compile(
    r"<(?:bos|\|begin_of_text\|)>|</?(?:b|i|u|em|strong|code|pre|p|br|span|div|tt|kbd|samp|li|ul|"
    r"ol)(?:\s[^<>]{0,100})?/?>",
    re.IGNORECASE,
)
_LATEX = re.compile(
    r"\\(?:text|texttt|textbf|textit|mathrm|mathbf|mathit|mathsf|mathtt|operatorname)\{([^{}]{0,200})\}"
)
_BACKSLASHED = re.compile(r"\\([<>*`()])")
_SPACED = re.compile(r"\\(?:[ ,;:!]|quad\b|left(?=[(\[])|right(?=[)\]]))")


class Visible(NamedTuple):
    """A reply as it is read.

    Attributes:
        text: in plain signs, single spaces.
        others: what follows in turns that the reply invents for somebody.
        repairs: what had to be done for that, of `REPAIRS`.
    """

    text: str
    others: str
    repairs: frozenset[str]


def visible(reply: str) -> Visible:
    """What a reply says aloud, in its writer's own name."""
    plain = _COLOURS.sub("", reply.replace("\r\n", "\n").replace("\r", "\n"))
    plain = _ESCAPED.sub(lambda match: html.unescape(match[0]), plain).translate(_PLAIN)
    plain = _DASH.sub("-", plain)
    repairs = {"characters"} if _odd(reply, plain) else set()
    shown = _spoken(plain)
    if shown != plain:
        repairs.add("reasoning")
    shown = _BACKSLASHED.sub(r"\1", shown)
    own = _END.sub("", _FRAMES.sub("\n", _FOREIGN.sub("\n", _IN_SQUARE.sub("\n", shown))))
    if (begun := _BEGIN.match(own)) is not None:
        own = own[begun.end() :]
    turn = _TURN.search(own)
    text, others = (own[: turn.start()], own[turn.start() :]) if turn else (own, "")
    if text != shown:
        repairs.add("turns")
    if len(text.strip().split("\n")) == 1 and _PLAYED_ON.match(others):
        others = ""
    written = text
    text = _TAGS.sub("", _STRUCK.sub("~~", _NUMBERED.sub("", text)))
    text = _SPACED.sub(" ", _LATEX.sub(r"\1", _LATEX.sub(r"\1", text))).replace("\\_", "_")
    if _single(text) != written or "\t" in reply:
        repairs.add("formatting")
    return Visible(_single(text), _single(others), frozenset(repairs))


def odd_signs(text: str) -> bool:
    """Whether it has signs that steer terminals or turn the direction of writing, or no signs."""
    return _CONTROL.search(text) is not None


def _single(text: str) -> str:
    return re.sub(" {2,}", " ", text)


def _odd(reply: str, plain: str) -> bool:
    return "\x1b" in reply or (not reply.isascii() and plain != reply.replace("\r\n", "\n"))


def _spoken(text: str) -> str:
    """Without hidden reasoning: what is in tags of thinking, or, where one of the two tags is
    missing, all on the side where it would be."""
    channels = list(_CHANNEL.finditer(text))
    if channels:
        last = channels[-1]
        said, called = text[last.end() :], _CALLED.search(last["to"])
        if last["name"].casefold() == "final":
            return said
        called_with = said.partition("<|")[0]
        return f'{{"name": "{called[1]}", "arguments": {called_with}}}' if called else ""
    stripped = list(_STRIPPED.finditer(text))
    if stripped and stripped[0].start() == 0 and stripped[0][0].strip() == "analysis":
        return text[stripped[-1].end() :] if len(stripped) > 1 else ""
    closed = list(_CLOSED.finditer(text))
    if closed:
        text, before = text[closed[-1].end() :], text[: closed[-1].start()]
        first = _OPENED.search(before)
        if first is not None:
            text = f"{_between(before)} {text}"
    opened = _OPENED.search(text)
    return text[: opened.start()] if opened else text


def _between(text: str) -> str:
    """What stands outside of the tags in a text of which the last tag was cut off."""
    kept, place = [], 0
    while (opened := _OPENED.search(text, place)) is not None:
        kept.append(text[place : opened.start()])
        closed = _CLOSED.search(text, opened.end())
        if closed is None:
            return " ".join(kept)
        place = closed.end()
    return " ".join([*kept, text[place:]])
