"""A preregistration, as far as a study's design decides it."""

from __future__ import annotations

from seedo.lab.study._config import StudyConfig
from seedo.lab.study._kinds import KINDS
from seedo.lab.study._pilot import Pilot
from seedo.lab.study._time import Pressure
from seedo.lab.study._wording import Wording
from seedo.worlds import EXPLOIT, EXPLORE


def preregistration(config: StudyConfig, tried: Pilot) -> str:
    """The text in Markdown; what the design does not decide stands in square brackets.

    Args:
        tried: the pilot of the same study.
    """
    sections = {
        "Question": ["[What do you want to know, and what do you expect? Say it in one sentence.]"],
        "Conditions": _conditions(config),
        "Participants": _participants(config),
        "Procedure": _procedure(config),
        "Measure": [
            "Score of a participant: the sum over tasks of what their choices that count bring in "
            "expectation, by the sum of the best that was possible. 1: as somebody who knows the "
            f"systems; {KINDS[config.kind].chance}: as somebody who guesses."
        ],
        "Analysis": _analysis(config, tried),
        "Left out": _left_out(config),
        "Sample size": _size(tried),
        "Other": [
            f"The study's settings have the SHA-256 {config.sha256}; the export repeats it.",
            "[Data so far: none. Further analyses are exploratory, and are reported as such.]",
        ],
    }
    parts = [f"# Preregistration: {config.title}"]
    for title, lines in sections.items():
        parts += [f"## {title}", "\n".join(f"- {' '.join(line.split())}" for line in lines)]
    return "\n\n".join(parts) + "\n"


def _conditions(config: StudyConfig) -> list[str]:
    if not config.factors:
        return ["One condition."]
    said = ["Between participants, crossed in full, by lot among those with the fewest:"]
    for factor in config.factors:
        levels = [factor.label(level) for level in range(len(factor.levels))]
        if factor.name == "instruction":
            levels = [f"{a}: “{b.strip()}”" for a, b in zip(levels, factor.levels, strict=True)]
        said.append(f"{factor.name}: {'; '.join(levels)}")
    return said


def _participants(config: StudyConfig) -> list[str]:
    recruit = config.recruit
    cells = len(config.conditions())
    said = [f"{config.max_participants} places in {cells} conditions, and then the study closes."]
    if recruit is None:
        return [*said, "[Where do they come from? What are they paid?]"]
    where = {"open": "[Where do they come from?]", "links": "By one-time links. [Sent to whom?]"}
    said.append(where.get(recruit.platform, f"By {recruit.platform}. [Filters? Pay?]"))
    if recruit.minutes:
        said.append(
            f"A place without an answer for {recruit.minutes:g} minutes goes to somebody else: "
            f"the study ends with {config.max_participants} who have finished, no condition with "
            "two more than another."
        )
    if recruit.bonus:
        said.append(f"Bonus: {recruit.bonus:g} times the score, at least 0.")
    return said


def _procedure(config: StudyConfig) -> list[str]:
    systems = {
        "shared": "the same systems for everybody",
        "own": "systems of their own for everybody",
    }
    spec = config.scenario(config.conditions()[0][0], 1, 0).stage().spec
    experiments, exploits = (spec.phases.count(phase) for phase in (EXPLORE, EXPLOIT))
    said = [
        f"{config.tasks} tasks after {config.practice} of practice; {systems[config.systems]}; "
        f"order {config.order}; seed {config.seed}.",
        f"In the first condition a task has {spec.n} variables, {experiments} experiments "
        f"and {exploits} choices that count.",
    ]
    if config.quiz is not None:
        said.append(f"A quiz of {len(config.quiz.items)} on the instructions first, "
                    f"{config.quiz.tries} tries.")  # fmt: skip
    said += [f"Languages: {', '.join(config.languages)}."] if len(config.languages) > 1 else []
    said += _time(config.time) if config.timed else []
    said += [_wording(wording) for wording in config.wordings]
    said += [f"Asked ({question.when}): “{question.text}”" for question in config.questions]
    return said


def _time(time: Pressure) -> list[str]:
    ends = {"task": "the task ends", "choice": "the choice is lost", "late": "the choice is marked"}
    limits = {"choice": time.choice_seconds, "task": time.task_seconds}
    said = [f"{most:g} s for a {of}" for of, most in limits.items() if most]
    return [f"Time: {', '.join(said) or 'by condition'}; afterwards {ends[time.at_end]}."]


def _wording(wording: Wording) -> str:
    said = [f"Wording {wording.id}:"]
    if wording.variables:
        said.append(f"variables are called {', '.join(v.label for v in wording.variables)};")
    if wording.story:
        said.append(f"the instructions go on with “{wording.story.strip()}”;")
    pictures = len(wording.files)
    return " ".join([*said, f"{pictures} picture{'' if pictures == 1 else 's'}."])


def _analysis(config: StudyConfig, tried: Pilot) -> list[str]:
    if not tried.levels:
        return ["Mean score with its 95 % interval (Student's t over participants). [More?]"]
    first, second = tried.levels
    others = [factor.name for factor in config.factors if factor.name != tried.plan.factor]
    over = f", over the levels of {', '.join(others)}" if others else ""
    return [
        f"Mean score of {first} less that of {second}{over}: two-sided t test for independent "
        "participants at 5 %, and its 95 % interval.",
        f"The smallest difference that matters: {tried.plan.difference:g}.",
        "[One test, or how you correct for several.]",
    ]


def _left_out(config: StudyConfig) -> list[str]:
    said = ["Whoever has not finished, or has withdrawn (of whom nothing is kept)."]
    if config.checks:
        said.append(
            f"Whoever has fewer than {config.checks_to_pass} of {config.checks} attention checks "
            "right."
        )
    if config.check_action == "end":
        said.append("They are sent away as soon as that is certain, and replaced.")
    if config.quiz is not None:
        act = "Sent away, and replaced" if config.quiz.end else "[Left out, or not]"
        said.append(f"{act}: whoever is wrong at the last try at the quiz.")
    return said


def _size(tried: Pilot) -> list[str]:
    if tried.power is None:
        return ["[Why so many?]"]
    many = "more than a million" if tried.needed is None else f"{tried.needed:,}"
    return [
        f"{tried.people} scripted participants in each condition have scores with a standard "
        f"deviation of {tried.sd:.2f} within conditions. With {tried.power.n} finishers at each "
        f"level a difference of {tried.power.detectable:.2f} is found 80 % of the time; "
        f"{tried.plan.difference:g} needs {many}. [People may differ more.]"
    ]
