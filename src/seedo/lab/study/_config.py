"""A study as its file declares it."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from seedo.errors import UserError, one_of, whole
from seedo.lab._scenario import NAMES, Scenario
from seedo.lab.study._fields import flag, table, tables, text
from seedo.lab.study._images import Image, known_images, read_image
from seedo.lab.study._kinds import KINDS
from seedo.lab.study._language import ENGLISH, Languages, read_languages, tag
from seedo.lab.study._plan import Plan
from seedo.lab.study._questions import SLUG, Question, Quiz, read_questions, read_quiz
from seedo.lab.study._recruit import Recruit
from seedo.lab.study._task import MOST_STEPS
from seedo.lab.study._time import LIMITS, UNHURRIED, Pressure, seconds
from seedo.lab.study._wording import Wording, read_wordings
from seedo.worlds import find

SYSTEMS = ("shared", "own")
ORDERS = ("balanced", "fixed", "random")
ACTIONS = ("note", "warn", "end")
WORDS = ("letters", "story")
RANDOM_CODE = "random"

_MOST_CONDITIONS = 64
_PRACTICE = 2**30
"""Index of the first practice system: beyond all that tasks use."""


@dataclass(frozen=True)
class Factor:
    """What differs between participants: `names`, `instruction`, `wording`, `language`, a limit of
    time or a field of the world."""

    name: str
    levels: tuple[Any, ...]

    def label(self, level: int) -> str:
        """A level in a condition's label; a text of instructions by its number, from 1."""
        if self.name == "instruction":
            return f"instruction={level + 1}"
        value = self.levels[level]
        shown = "/".join(f"{v:g}" for v in value) if isinstance(value, tuple) else value
        return f"{self.name}={shown}"


@dataclass(frozen=True)
class StudyConfig:
    """See the module; `docs/lab/study-example.toml` explains every field.

    Attributes:
        name: in addresses and names of files: lower-case letters, digits, hyphens.
        tasks, practice: how many; practice tasks come first and are no data.
        systems: `shared`: every participant meets the same systems, numbers 0..tasks-1 of the
            stream that `perform` plays with this seed; `own`: participant p (from 1) meets numbers
            (p-1)*tasks.. of it.
        order: of the tasks: `balanced` (Williams squares), `fixed` or `random`.
        world: settings of the world that differ from its defaults; `kind` is its name, if it is not
            `dag`.
        factors: crossed in full they are the conditions.
        checks, checks_to_pass: attention checks between the tasks.
        check_action: what a wrong answer does: `note` it, `warn` the participant, or warn and
            `end` the participation once they can no longer be passed.
        check_words: variables are called by `letters`, or as in the `story` of the next task.
        quiz: questions about the instructions; None: none.
        max_participants: whom the study wants: finishers, where places time out.
        end_code: shown at the end; `random`: one of their own for every participant.
        recruit: where participants come from; None: whoever has the link, for ever.
        plan: what is to be compared; None: not said.
        wordings: own names, units, pictures and stories; one for all, or one for every level of
            factor `wording`.
        images: the files that they name.
        spoken: the languages, and its sentences in them.
        time: how long choices and tasks may take, unless a factor says.
    """

    name: str
    title: str
    consent: str
    instructions: str
    tasks: int
    practice: int = 1
    seed: int = 0
    systems: str = "shared"
    order: str = "balanced"
    feedback: bool = True
    max_participants: int = 1000
    world: Mapping[str, Any] | None = None
    factors: tuple[Factor, ...] = ()
    checks: int = 0
    checks_to_pass: int = 0
    check_action: str = "note"
    check_words: str = "letters"
    quiz: Quiz | None = None
    questions: tuple[Question, ...] = ()
    end_text: str = "Thank you for taking part."
    end_code: str = RANDOM_CODE
    recruit: Recruit | None = None
    plan: Plan | None = None
    wordings: tuple[Wording, ...] = ()
    images: tuple[Image, ...] = ()
    spoken: Languages = ENGLISH
    time: Pressure = UNHURRIED

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not SLUG.fullmatch(self.name):
            remedy = "use 1 to 40 lower-case letters, digits and hyphens"
            raise UserError("name", self.name, remedy)
        for field in ("title", "consent", "instructions", "end_text", "end_code"):
            text(field.replace("_", "."), getattr(self, field))
        whole("tasks", self.tasks, 1, 100)
        whole("practice", self.practice, 0, 3)
        whole("seed", self.seed, 0, 2**32 - 1)
        one_of("systems", self.systems, SYSTEMS)
        one_of("order", self.order, ORDERS)
        flag("feedback", self.feedback)
        whole("max_participants", self.max_participants, 1, 1_000_000)
        whole("attention.checks", self.checks, 0, 10)
        whole("attention.pass", self.checks_to_pass, 0, self.checks)
        one_of("attention.action", self.check_action, ACTIONS)
        one_of("attention.words", self.check_words, WORDS)
        self._check_conditions()

    def _check_conditions(self) -> None:
        seen: set[str] = set()
        for factor in self.factors:
            if factor.name in seen:
                raise UserError("factor.name", factor.name, "name every factor once")
            seen.add(factor.name)
            labels = {factor.label(i) for i in range(len(factor.levels))}
            if len(labels) < len(factor.levels):
                raise UserError(f"levels of {factor.name}", None, "give every level once")
        if self.plan is not None and self.plan.factor not in seen:
            raise UserError("plan.factor", self.plan.factor, "name one of the study's factors")
        count = 1
        for factor in self.factors:
            count *= len(factor.levels)
        if count > _MOST_CONDITIONS:
            remedy = f"use at most {_MOST_CONDITIONS} conditions in all"
            raise UserError("factor", f"{count} conditions", remedy)
        self._check_wordings(seen)
        for label, scenario in self.conditions():
            first = scenario(0)
            KINDS[self.kind].check(label, first)
            spec, wording = first.stage().spec, self.wording(label)
            if spec.steps > MOST_STEPS:
                remedy = f"use at most {MOST_STEPS} in all"
                raise UserError(f"steps ({label})", spec.steps, remedy)
            named = KINDS[self.kind].nameable(spec)
            if self.check_words == "story" and not named:
                raise UserError("attention.words", "story", "in this world use letters")
            if wording and wording.variables and len(wording.variables) != len(named):
                found = f"{len(wording.variables)} variables"
                remedy = f"name {len(named)}: {', '.join(named) or 'none'} ({label})"
                raise UserError(f"wording {wording.id}: variable", found, remedy)
        self._check_languages()

    def _check_languages(self) -> None:
        own = self.own_texts
        units = [key for key in own if key.endswith("_unit")]
        self.spoken.check(self.languages, own, units)
        for language in self.languages:
            for wording in self.wordings:
                wording.told(self.spoken.texts.get(language, {}))
            for label, each in self._all().items():
                named = each.wording and self.wording(label).variables  # type: ignore[union-attr]
                if each.base.names in ("familiar", "contrary") and not named:
                    if language.partition("-")[0] != "en":
                        remedy = f"such names are English: use a [[wording]] for {language}"
                        raise UserError(f"names ({label})", each.base.names, remedy)

    def _check_wordings(self, factors: set[str]) -> None:
        ids = tuple(wording.id for wording in self.wordings)
        levels = next((f.levels for f in self.factors if f.name == "wording"), None)
        if levels is None and len(ids) > 1:
            remedy = 'give one for all, or a [[factor]] with name = "wording" and these as levels'
            raise UserError("wording", ", ".join(ids)[:80], remedy)
        for level in levels or ():
            if level not in ids:
                remedy = f"has no [[wording]]: there are {', '.join(ids) or 'none'}"
                raise UserError("levels of wording", str(level)[:40], remedy)
        for name in ids:
            if levels is not None and name not in levels:
                raise UserError("wording.id", name, "name it among the levels of factor wording")
        if "names" in factors and any(wording.variables for wording in self.wordings):
            remedy = "a wording names the variables: leave this factor out, or the wording's names"
            raise UserError("factor.name", "names", remedy)

    # -- reading ----------------------------------------------------------------------------------

    @staticmethod
    def load(path: str | Path, images: Path | None = None) -> StudyConfig:
        """The study of a TOML file, pictures and all.

        Args:
            images: the folder of its pictures; None: where the file is.

        Raises:
            UserError: names the key that cannot be used, in one line.
        """
        config = StudyConfig.settings(path)
        return config.with_images(images or Path(path).parent)

    @staticmethod
    def settings(path: str | Path) -> StudyConfig:
        """The study of a TOML file, whose pictures need not be there.

        Raises:
            UserError: names the key that cannot be used, in one line.
        """
        return StudyConfig.from_text(_read(path), str(path))

    @staticmethod
    def to_translate(path: str | Path) -> tuple[StudyConfig, Languages]:
        """The study of a TOML file in one language alone, and its languages, complete or not.

        Raises:
            UserError: names the key that cannot be used, in one line.
        """
        plain = _parsed(_read(path), str(path))
        spoken = read_languages(plain.pop("language", {}), plain.pop("text", []))
        # What compares or assigns languages would ask for every sentence in each of them.
        plan, factors = plain.get("plan"), tables("factor", plain.pop("factor", []))
        if isinstance(plan, Mapping) and plan.get("factor") == "language":
            del plain["plan"]
        by_language = [f for f in factors if isinstance(f, Mapping) and f.get("name") == "language"]
        plain["factor"] = [f for f in factors if f not in by_language]
        return StudyConfig.from_json(plain), spoken

    @staticmethod
    def from_text(written: str, path: str | None = None) -> StudyConfig:
        """The study that a text in TOML declares; its pictures are not looked at.

        Args:
            path: where it was read, for what is said of it.

        Raises:
            UserError: names the key that cannot be used.
        """
        return StudyConfig.from_json(_parsed(written, path))

    def with_images(self, folder: Path) -> StudyConfig:
        """The same with the pictures that it names, from this folder.

        Raises:
            UserError: names the one that cannot be used.
        """
        named = {file: what for wording in self.wordings for what, file in wording.files}
        found = tuple(read_image(what, folder, file) for file, what in named.items())
        return replace(self, images=found) if found else self

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> StudyConfig:
        """The inverse of `to_json`; also of a file's contents.

        Raises:
            UserError: names the key that cannot be used.
        """
        top = ("name", "title", "consent", "instructions", "tasks", "practice", "seed", "systems",
               "order", "feedback", "max_participants", "world", "factor", "attention", "question",
               "end", "recruit", "comprehension", "plan", "wording", "images", "language",
               "text", "time")  # fmt: skip
        fields = table("study", plain, top)
        for field in ("name", "title", "consent", "instructions", "tasks"):
            if field not in fields:
                raise UserError(field, None, "missing: every study needs it")
        recruit, plan = fields.pop("recruit", None), fields.pop("plan", None)
        world = fields.pop("world", {})
        kind = world.get("kind", "dag") if isinstance(world, Mapping) else "dag"
        one_of("world.kind", kind, tuple(KINDS))
        known = ("preset", "split", *find(kind).settings_of())
        world = table("world", world, ("kind", *known))
        factors = tuple(_factor(f, known) for f in tables("factor", fields.pop("factor", [])))
        attention = table(
            "attention", fields.pop("attention", {}), ("checks", "pass", "action", "words")
        )
        checks = attention.get("checks", 0)
        questions = read_questions(fields.pop("question", []))
        quiz = fields.pop("comprehension", None)
        end = table("end", fields.pop("end", {}), ("text", "code"))
        wordings = read_wordings(fields.pop("wording", []))
        images = known_images(fields.pop("images", []))
        time = Pressure.from_json(fields.pop("time", {}))
        spoken = read_languages(fields.pop("language", {}), fields.pop("text", []))
        return StudyConfig(
            **fields,
            world={k: tuple(v) if isinstance(v, list) else v for k, v in world.items()},
            factors=factors,
            checks=checks,
            checks_to_pass=attention.get("pass", checks),
            check_action=attention.get("action", "note"),
            check_words=attention.get("words", "letters"),
            questions=questions,
            quiz=None if quiz is None else read_quiz(quiz),
            **{f"end_{key}": value for key, value in end.items()},
            recruit=None if recruit is None else Recruit.from_json(recruit),
            plan=None if plan is None else Plan.from_json(plan),
            wordings=wordings,
            images=images,
            spoken=spoken,
            time=time,
        )

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads; stored with the data.

        What an older version did not have is left out where it is not used, so that studies begun
        under one keep their `sha256`.
        """
        attention: dict[str, Any] = {"checks": self.checks, "pass": self.checks_to_pass}
        later = {
            "recruit": self.recruit and self.recruit.to_json(),
            "comprehension": self.quiz and self.quiz.to_json(),
            "plan": self.plan and self.plan.to_json(),
            "wording": [wording.to_json() for wording in self.wordings] or None,
            "images": [image.to_json() for image in self.images] or None,
            "time": None if self.time == UNHURRIED else self.time.to_json(),
        }
        spoken = self.spoken.to_json()
        if (self.check_action, self.check_words) != ("note", "letters"):
            attention |= {"action": self.check_action, "words": self.check_words}
        return {
            "name": self.name,
            "title": self.title,
            "consent": self.consent,
            "instructions": self.instructions,
            "tasks": self.tasks,
            "practice": self.practice,
            "seed": self.seed,
            "systems": self.systems,
            "order": self.order,
            "feedback": self.feedback,
            "max_participants": self.max_participants,
            "world": _plain(self.world or {}),
            "factor": [_plain({"name": f.name, "levels": list(f.levels)}) for f in self.factors],
            "attention": attention,
            "question": [q.to_json() for q in self.questions],
            "end": {"text": self.end_text, "code": self.end_code},
        } | {name: value for name, value in (later | spoken).items() if value is not None}

    @property
    def kind(self) -> str:
        """The name of its world."""
        return str((self.world or {}).get("kind", "dag"))

    def asked(self, when: str) -> tuple[Question, ...]:
        """The questions of a time, see `Question.when`."""
        return tuple(q for q in self.questions if q.when == when)

    @property
    def sha256(self) -> str:
        """Of everything that participants meet; how many come, and from where, may change."""
        free = ("max_participants", "recruit", "plan")
        counted = {k: v for k, v in self.to_json().items() if k not in free}
        canonical = json.dumps(counted, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    # -- conditions -------------------------------------------------------------------------------

    def conditions(self) -> list[tuple[str, Callable[[int], Scenario]]]:
        """Label and `index -> scenario` of every condition; one, `all`, without factors."""
        return [
            (label, functools.partial(_numbered, each.base)) for label, each in self._all().items()
        ]

    def instruction(self, condition: str, language: str | None = None) -> str:
        """The condition's own text, which follows the instructions; "" if it has none."""
        level = self._all()[condition].instruction
        return self.told(f"instruction-{level}", language) if level else ""

    def wording(self, condition: str, language: str | None = None) -> Wording | None:
        """What things are called in a condition; None: nothing of its own."""
        name = self._all()[condition].wording
        found = next((wording for wording in self.wordings if wording.id == name), None)
        return found and found.told(self.spoken.texts.get(language or "", {}))

    def pressure(self, condition: str) -> Pressure:
        """How long choices and tasks may take in a condition."""
        return replace(self.time, **self._all()[condition].limits)

    @functools.cached_property
    def timed(self) -> bool:
        """Whether anybody is pressed for time."""
        return any(self.pressure(label) for label in self._all())

    def language(self, condition: str) -> str:
        """That of a condition; "": it has none of its own."""
        return self._all()[condition].language

    @property
    def languages(self) -> tuple[str, ...]:
        """All that the study can be taken in, that of its file first."""
        levels = next((f.levels for f in self.factors if f.name == "language"), ())
        return tuple(dict.fromkeys((self.spoken.default, *self.spoken.offered, *levels)))

    def told(self, key: str, language: str | None = None) -> str:
        """One of its own sentences, see `own_texts`, in a language; None: as in its file."""
        return self.spoken.texts.get(language or "", {}).get(key) or self.own_texts[key]

    @functools.cached_property
    def own_texts(self) -> dict[str, str]:
        """The sentences of the study's file that participants see, by the keys of `[[text]]`."""
        said = {"title": self.title, "consent-text": self.consent,
                "instructions-text": self.instructions, "end-text": self.end_text}  # fmt: skip
        for factor in self.factors:
            if factor.name == "instruction":
                said |= {f"instruction-{n}": each for n, each in enumerate(factor.levels, 1)}
        for question in self.questions:
            said |= question.texts()
        for wording in self.wordings:
            said |= wording.texts()
        return said | (self.quiz.texts() if self.quiz else {})

    def image(self, file: str) -> Image:
        """The picture of a file that a wording names."""
        return next(image for image in self.images if image.file == file)

    def scenario(self, condition: str, participant_number: int, task: int) -> Scenario:
        """What a participant (numbered from 1) meets as a task.

        Args:
            condition: its label.
            task: 0..tasks-1; -practice..-1 are the practice tasks, the same for everyone.
        """
        base = self._all()[condition].base
        if task < 0:
            return _numbered(base, _PRACTICE + self.practice + task)
        own = (participant_number - 1) * self.tasks if self.systems == "own" else 0
        return _numbered(base, own + task)

    def _all(self) -> dict[str, _Condition]:
        return _conditions(self)

    def __hash__(self) -> int:
        return hash((self.name, self.seed, self.tasks))


class _Condition(NamedTuple):
    """Scenario number 0 of a condition, and what is its own beside it; "": nothing.

    Attributes:
        instruction: number of the text from 1; 0: none.
    """

    base: Scenario
    instruction: int
    wording: str
    language: str
    limits: dict[str, Any]


@functools.lru_cache(maxsize=16)
def _conditions(study: StudyConfig) -> dict[str, _Condition]:
    """All conditions by label."""
    made: dict[str, _Condition] = {}
    one = study.wordings[0].id if len(study.wordings) == 1 else ""
    for picked in itertools.product(*(range(len(f.levels)) for f in study.factors)):
        chosen = list(zip(study.factors, picked, strict=True))
        label = ", ".join(f.label(i) for f, i in chosen) or "all"
        given = {f.name: f.levels[i] for f, i in chosen}
        names, wording = given.pop("names", "letters"), given.pop("wording", one)
        language = given.pop("language", "")
        limits = {name: given.pop(name) for name in LIMITS if name in given}
        given.pop("instruction", None)
        own_text = next((i + 1 for f, i in chosen if f.name == "instruction"), 0)
        config = _plain({k: v for k, v in (study.world or {}).items() if k != "kind"} | given)
        try:
            scenario = Scenario.from_json(
                {"world": study.kind, "config": config, "seed": study.seed, "names": names}
            )
        except UserError as error:
            where = f"{error.field} ({label})" if study.factors else f"world.{error.field}"
            raise UserError(where, error.value, error.remedy) from error
        made[label] = _Condition(scenario, own_text, wording, language, limits)
    return made


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text("utf-8")
    except OSError as error:
        raise UserError("study", str(path), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError("study", str(path), f"not TOML: {error}") from error


def _parsed(written: str, path: str | None) -> dict[str, Any]:
    try:
        plain = tomllib.loads(written)
    except tomllib.TOMLDecodeError as error:
        raise UserError("study", path, f"not TOML: {error}") from error
    if "images" in plain:
        raise UserError("images", None, "name pictures in a [[wording]]")
    return plain


def _numbered(base: Scenario, index: int) -> Scenario:
    return replace(base, index=index)


def _plain(table: Mapping[str, Any]) -> dict[str, Any]:
    def simple(value: Any) -> Any:
        return [simple(v) for v in value] if isinstance(value, list | tuple) else value

    return {key: simple(value) for key, value in table.items()}


def _factor(value: object, world: tuple[str, ...]) -> Factor:
    fields = table("factor", value, ("name", "levels"))
    name, levels = fields.get("name"), fields.get("levels")
    one_of("factor.name", name, ("names", "instruction", "wording", "language", *LIMITS, *world))
    if not isinstance(levels, list) or not 2 <= len(levels) <= _MOST_CONDITIONS:
        raise UserError(f"levels of {name}", None, f"use a list of 2 to {_MOST_CONDITIONS} levels")
    for level in levels:
        if name == "names":
            one_of("levels of names", level, NAMES)
        elif name == "wording":
            text("levels of wording", level, 40)
        elif name == "language":
            tag("levels of language", level)
        elif name in LIMITS:
            seconds(f"levels of {name}", level)
        elif name == "instruction":
            text("levels of instruction", level)
        elif isinstance(level, list):
            if not all(isinstance(v, int | float) for v in level):
                raise UserError(f"levels of {name}", str(level)[:40], "use lists of numbers")
        elif not isinstance(level, int | float | str):
            raise UserError(f"levels of {name}", str(level)[:40], "use numbers or texts")
    return Factor(str(name), tuple(tuple(v) if isinstance(v, list) else v for v in levels))
