"""What is said to players: the rules of each world, and what comes with every turn.

Small models give back the form they are shown, whatever stands in it: a placeholder, both
alternatives, the sentence around it. So the rules show no form, and every turn ends in a line that
is a legal action of the very task, drawn at random: whoever only gives it back plays at random.
"""

from __future__ import annotations

import re

from seedo.language.scenes._conditions import Conditions
from seedo.language.scenes.replies import say_number
from seedo.worlds import EXPLOIT, EXPLORE, BlicketConfig, World
from seedo.worlds.rooms import RoomsWorld

# -- every turn -----------------------------------------------------------------------------------


def say_turn(exploiting: bool, number: int, count: int) -> str:
    """Which experiment or scored action is next, counted from 1: "Experiment 2 of 5."."""
    if exploiting:
        return "Now the scored action." if count == 1 else f"Scored action {number} of {count}."
    return f"Experiment {number} of {count}."


def say_example(line: str, conditions: Conditions) -> list[str]:
    """Shows how to act, in two lines, of which the second is an action of the task at hand."""
    return [_END if conditions.reasoning else _REPLY, line] if line else []


def say_refusal(remedy: str, shown: str, conditions: Conditions, unclear: bool) -> str:
    """Why nothing was done, and what to do instead.

    Args:
        remedy: what was wrong.
        shown: an action of the task at hand, a line or the call of a tool; "": none can be shown,
            or the step is over.
        unclear: no action was found, so that the example of one says it all.
    """
    if conditions.tools != "none":
        example = f" An action is a call such as: {shown}" if shown else ""
        return f"Nothing was done: {remedy}{example}"
    if not shown:
        return f"{_NO_ACTION} {remedy}"
    return _refused(_NO_ACTION, "" if unclear else remedy, shown, conditions)


def say_no_answer(remedy: str, shown: str, conditions: Conditions) -> str:
    """As `say_refusal`, of what should have been the answer to a question."""
    return _refused("That is no answer.", remedy, shown, conditions)


def _refused(what: str, remedy: str, shown: str, conditions: Conditions) -> str:
    how, line = say_example(shown, conditions)
    return f"{' '.join(filter(None, [what, remedy, how]))}\n{line}"


_NO_ACTION = "That is no action."  # whatever is said here is given back: it must not read as one
_REPLY = "Reply with one line such as:"
_END = "End with one line such as:"
_DIRECTION = re.compile(
    r"Experiment \d{1,6} of \d{1,6}\.|Scored action \d{1,6} of \d{1,6}\.|Now the scored action\."
)


def without_directions(text: str) -> str:
    """What was said, less what only says where in an episode one is, or how to act."""
    kept: list[str] = []
    shown = False
    for line in text.split("\n"):
        if not shown and line not in (_REPLY, _END) and not _DIRECTION.fullmatch(line):
            kept.append(line)
        shown = line in (_REPLY, _END)
    return "\n".join(kept)


ACT = "Now act."
"""Said after a turn that was no action."""


# -- how an action is given -----------------------------------------------------------------------


def form_rules(conditions: Conditions, form: str) -> list[str]:
    """How an action has to be given, as far as turns do not show it."""
    if conditions.tools == "none":
        told = "." if conditions.turns else f": {form}"
        if conditions.reasoning:
            return [f"Think step by step, then end with one line that is only the action{told}"]
        return [] if conditions.turns else [f"Reply with one line only{told}"]
    if conditions.reasoning:
        return ["Think step by step, then call a tool to act."]
    return ["Act by calling a tool, without further words."]


# -- variables that are set -----------------------------------------------------------------------


def said_values(world: World, decimals: int) -> str:
    """What variables can be set to: "-2.0 or 2.0"."""
    return " or ".join(say_number(v, decimals) for v in world.spec.do_values)


def setting_rules(
    world: World, conditions: Conditions, about: str, setting: str, scored: str, strategy: str = ""
) -> str:
    """The rules of a world whose variables are set.

    Args:
        about: what the system is.
        setting: what follows when a variable is set, with what is seen then: sentences.
        scored: what counts.
        strategy: said where the instruction is to tell how to play well.
    """
    experiments = sum(p == EXPLORE for p in world.spec.phases)
    decimals = conditions.decimals
    said = [
        about,
        f"First you make {experiments} experiments. In each you set one variable to "
        f"{said_values(world, decimals)}, or only observe. {setting}, rounded to {decimals} "
        f"decimal{'' if decimals == 1 else 's'}."
        if experiments
        else "You make no experiments.",
        scored,
    ]
    if conditions.instruction == "strategy" and strategy:
        said.append(strategy)
    form = "the word do, the name of a variable, the sign = and a value"
    form += "; or, in experiments, the word observe." if experiments else "."
    return "\n".join([*said, *form_rules(conditions, form)])


def dag_instructions(world: World, conditions: Conditions) -> str:
    """The rules of the world under these conditions."""
    exploits = sum(p == EXPLOIT for p in world.spec.phases)
    often = f", {exploits} times" if exploits > 1 else ""
    return setting_rules(
        world,
        conditions,
        f"You study a system of {world.spec.n} variables. Some of them influence others: a "
        "variable that has causes is a weighted sum of them plus noise; influence never runs in a "
        "circle. Names may or may not tell anything.",
        "To set a variable cuts it off from its causes. You see the values that all variables then "
        "take",
        f"Then a goal variable is named{often}. Set one other variable so that the goal becomes as "
        "large as can be expected. Only this is scored.",
        "What varies together need not be cause and effect: only setting a variable shows what it "
        "causes. Test every variable before you are told the goal, and judge size and direction of "
        "each effect on the goal, through other variables too.",
    )


# -- blicket machines -----------------------------------------------------------------------------

_RULES = {
    "or": "it lights up if at least one blicket is on it",
    "and": "it lights up only if all blickets are on it",
}


def blicket_instructions(config: BlicketConfig, conditions: Conditions) -> str:
    """The rules of the world under these conditions."""
    said = [
        f"There is a machine with a light, and there are {config.n} objects. Some of the objects "
        "are blickets. Names tell nothing.",
        _rule(config),
        _number(config),
    ]
    if config.flip:
        said.append(
            f"In {100 * config.flip:g}% of experiments, at random, the light shows the opposite."
        )
    start = "nothing is" if config.start == "empty" else "all objects are"
    said.append(
        f"First you make {config.toggles} experiments; before them {start} on the machine. In each "
        "you put one object on the machine or remove one from it, or only observe, and see whether "
        "the light is on. "
        "What you do not move stays as it is."
        if config.toggles
        else "You make no experiments."
    )
    said.append(
        "Then you are asked of each object whether it is a blicket. Only these answers are scored."
    )
    if conditions.instruction == "strategy":
        said.append(
            "A light that does not change tells something too. An object may make a difference "
            "only while certain others are on the machine, or only while they are not: test every "
            "object where it can show what it is."
        )
    form = "put or remove and the name of an object; to a question, yes or no."
    return "\n".join([*said, *form_rules(conditions, form)])


def _rule(config: BlicketConfig) -> str:
    if config.rule != "any":
        return f"This is how the machine works: {_RULES[config.rule]}."
    return (
        "The machine works in one of two ways, equally likely: "
        f"either {_RULES['or']}, or {_RULES['and']}. You are not told which."
    )


def _number(config: BlicketConfig) -> str:
    if config.blickets is None:
        highest = config.n - 1
        if highest == 2:
            return "There are 2 blickets."
        return f"There are 2 to {highest} blickets, each number equally likely."
    if config.blickets > 1:
        return f"There are {config.blickets} blickets."
    if config.rule == "any":
        return "There is 1 blicket if one is enough, and there are 2 if all are needed."
    return "There is 1 blicket."


# -- rooms ----------------------------------------------------------------------------------------


def rooms_form(change: bool) -> str:
    """How choices are said."""
    take = "the word take and the number of an object"
    if not change:
        return f"{take}."
    return f"{take}; or the word change, then colour, shape or texture, then of and the number."


def rooms_instructions(world: RoomsWorld, conditions: Conditions) -> str:
    """The rules of the world under these conditions."""
    settings = world.settings
    meta = settings.level == "meta"
    attributes = "colour, shape, texture or place" if settings.level == "basic" else (
        "colour, shape or texture")  # fmt: skip
    said = [
        "There are rooms with four objects, numbered 1 to 4. Each object has a colour, a shape, a "
        "texture and a place"
        + (". What the values are called tells nothing." if conditions.names == "nonsense" else ".")
    ]
    said.append(
        f"One attribute decides: {attributes}. You are not told which"
        + ("; it is the same in all rooms of this game. " if meta else ". ")
        + "The object that is the only one in its room with its value of that attribute is the odd "
        "one out. To take it is worth 1, to take another is worth 0."
    )
    if meta:
        said.append(
            f"First come {settings.experiments} experiment trials. In each you may change the "
            "colour, the shape or the texture of one object, once: it then gets the other value "
            "that occurs in the room, or a new one where all have the same. Then take an object: "
            "the trial ends and you see its reward. Use this to find out what decides."
        )
        said.append(
            "In the last trial nothing can be changed: take the odd one out. Only this is scored."
        )
    else:
        said.append("You take one object, once.")
    said.append(
        f"A trial ends with nothing taken after {settings.limit} steps of walking; a change takes "
        "one step more than the way to its object."
        if meta
        else f"A trial ends with nothing taken after {settings.limit} steps of walking."
    )
    if conditions.instruction == "strategy":
        said.append(
            "An object that is unique in one attribute only tells you, by its reward, whether that "
            "attribute decides. Make such an object by a change, take it, and test another "
            "attribute in the next experiment unless you know the answer."
            if meta
            else "Compare the objects attribute by attribute before you take one."
        )
    return "\n".join([*said, *form_rules(conditions, rooms_form(meta))])
