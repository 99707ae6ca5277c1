"""Runs of text players in this process, as logs like everybody else's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

from seedo.episodes import Dataset, DatasetWriter
from seedo.errors import UserError
from seedo.language.runs._conversations import CONVERSATIONS, Conversations, line
from seedo.language.runs._examples import Examples, example_messages, first_examples
from seedo.language.runs._speaker import MeteredSpeaker, Speaker, check_meter, converse
from seedo.language.scenes import Conditions, Message, Scene, open_scene
from seedo.play import check_size, origin, shard_size

BESIDE = tuple(f"{name}{end}" for name in (CONVERSATIONS, "run.json") for end in ("", ".tmp"))
"""What a run of a text player keeps beside the files of a dataset."""

_AT_ONCE = 256


class RunOptions(TypedDict, total=False):
    """How the episodes of a run are chosen and put into words.

    Attributes:
        stream: the purpose, `perform` unless told; see `worlds.episode_key`.
        conditions: how it is put into words.
        examples: shown first in every episode; None: the first of the stream `examples`, as many as
            the conditions say.
        systems: log each system too, where the world's logs can; True unless told.
        base: conditions that hold where none are typed, other than the usual ones, as of a model
            that was tuned under its own.
        typed: words of the command line about how the player is called, without those of the
            conditions.
    """

    stream: str
    conditions: Conditions | None
    examples: Examples | None
    systems: bool
    base: Conditions | None
    typed: Sequence[str]


@dataclass(frozen=True)
class RunPlan:
    """What a run plays: episodes of a stream of a world, in words; see `RunOptions`.

    Raises:
        UserError: another number of examples than the conditions say.
    """

    world: Any
    seed: int
    stream: str
    conditions: Conditions
    examples: Examples | None
    systems: bool
    options: tuple[str, ...] = ()

    @classmethod
    def of(cls, world: Any, seed: int, options: RunOptions) -> RunPlan:
        """The plan of these options."""
        conditions = options.get("conditions") or Conditions()
        examples = options.get("examples") or first_examples(conditions, seed)
        if len(examples.indices) != conditions.examples:
            remedy = f"the conditions say {conditions.examples}"
            raise UserError("examples", len(examples.indices), remedy)
        shown = examples if conditions.examples else None
        stream, systems = options.get("stream", "perform"), options.get("systems", True)
        said = (*_options(conditions, options.get("base")), *options.get("typed", ()))
        return cls(world, seed, stream, conditions, shown, systems, said)

    @property
    def opening(self) -> tuple[Message, ...]:
        """What is said before every episode."""
        return example_messages(self.world, self.conditions, self.examples) if self.examples else ()

    def job(self, player: str) -> dict[str, Any]:
        """What a run was asked for; `player` is its name on the command line."""
        return {
            "task": "perform",
            "agent": player,
            "player": player,
            "conditions": self.conditions.to_dict(),
            "options": list(self.options),
            "examples": None if self.examples is None else self.examples.to_dict(),
            "stream": self.stream,
            "systems": self.systems,
            "seed": self.seed,
            "world": self.world.name,
        }


def record_speaker(
    world: Any,
    speaker: Speaker,
    count: int,
    seed: int,
    out: str | Path,
    *,
    resume: bool = False,
    at_once: int = _AT_ONCE,
    progress: Callable[[int, int], None] | None = None,
    opened: Callable[..., Scene] = open_scene,
    meter: MeteredSpeaker | None = None,
    name: str | None = None,
    **options: Unpack[RunOptions],
) -> Dataset:
    """Let a speaker play `count` episodes into a dataset folder with its conversations.

    Episodes are played in batches of about `at_once`, which always begin at the same episodes: a
    killed job that goes on with `resume` writes the same bytes, even where a speaker's replies
    depend on what else is in its batch.

    Args:
        world: any that can be put into words.
        speaker: who plays; its name is the experimenter's.
        count: episodes 0 to count - 1 of the stream.
        seed: of the world.
        out: the folder.
        resume: go on with an interrupted job.
        at_once: conversations in one call of the speaker.
        progress: called with (episodes done, episodes in all).
        opened: makes an episode's scene; arguments and result as of `open_scene`.
        meter: the speaker, if it counts its tokens: they are logged.
        name: of the speaker on the command line; None: its own.
        options: see `RunOptions`.

    Raises:
        UserError: a bad number, a world or conditions that cannot be put into words, a folder
            that cannot be written, a meter that is another than the speaker.
    """
    check_size(count, seed)
    check_meter(speaker, meter)
    if not isinstance(at_once, int) or at_once < 1:
        raise UserError("at_once", at_once, "use a whole number above 0")
    plan = RunPlan.of(world, seed, options)
    start, rows = origin(world, speaker.name, seed), shard_size(count)
    job = plan.job(name or speaker.name)
    where = (world, seed, plan.stream)
    block = max(1, at_once // rows) * rows  # episodes; whole shards
    with DatasetWriter(out, start, rows, count, job, resume=resume, beside=BESIDE) as writer:
        said = Conversations(writer.path)
        said.check(finished_episodes(writer, rows))
        if progress:
            progress(writer.rows, count)
        while (shard := writer.next_shard) is not None:
            first = shard * rows // block * block
            scenes = [
                opened(*where, index, plan.conditions, plan.opening)
                for index in range(first, min(first + block, count))
            ]
            spent = [
                tokens
                for begin in range(0, len(scenes), at_once)
                for tokens in converse(scenes[begin : begin + at_once], speaker, meter=meter)
            ]
            while shard is not None and first <= shard * rows < first + block:
                begin = shard * rows
                own = scenes[begin - first : begin - first + writer.rows_of(shard)]
                said.write(
                    line(scene, begin + i, **_tokens(meter, spent[begin - first + i]))
                    for i, scene in enumerate(own)
                )
                writer.write(shard, type(own[0]).log(start, own, plan.systems))
                shard = writer.next_shard
            if progress:
                progress(writer.rows, count)
    return Dataset(out)


def _tokens(meter: MeteredSpeaker | None, spent: tuple[int, int]) -> dict[str, Any]:
    """What a conversation's line says of them."""
    return {} if meter is None else {"tokens_in": spent[0], "tokens_out": spent[1]}


def _options(conditions: Conditions, base: Conditions | None) -> list[str]:
    """What is typed for these conditions, see `read_conditions`, whatever holds where they are not
    typed; a review tells it."""
    usual = Conditions().to_dict()
    other = usual if base is None else base.to_dict()
    told = conditions.to_dict().items()
    differing = {k: v for k, v in told if v != usual[k] or v != other[k]}
    words = (f"{k}={str(v).lower() if isinstance(v, bool) else v}" for k, v in differing.items())
    return [word for text in words for word in ("--prompt", text)]


def finished_episodes(writer: DatasetWriter, rows: int) -> list[int]:
    """Episodes of the shards that are there, `rows` each."""
    missing = writer.missing
    return [
        shard * rows + i
        for shard in range(writer.shard_count)
        if shard not in missing
        for i in range(writer.rows_of(shard))
    ]


def read_conditions(texts: Sequence[str], base: Conditions | None = None) -> Conditions:
    """Conditions as typed on a command line: `names=contrary`, `examples=2`, `reasoning`.

    A switch alone is on; numbers are whole. What is not typed is as in `base`.

    Raises:
        UserError: an unknown switch, one given twice, or a value that it cannot have.
    """
    usual = Conditions().to_dict()
    fields: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if name not in usual:
            raise UserError("--prompt", text, f"use one of {', '.join(usual)}")
        if name in fields:
            raise UserError("--prompt", text, f"{name} is given twice")
        if isinstance(usual[name], bool):
            switch = {"": True, "true": True, "false": False}
            if (equals and not value) or value not in switch:
                raise UserError("--prompt", text, f"write {name}=true or {name}=false")
            fields[name] = switch[value]
        elif isinstance(usual[name], int):
            if not (value.isascii() and value.isdigit() and len(value) < 6):
                raise UserError("--prompt", text, f"write {name}=whole number")
            fields[name] = int(value)
        elif not value:
            raise UserError("--prompt", text, f"write {name}=word")
        else:
            fields[name] = value
    try:
        return Conditions.from_dict((base or Conditions()).to_dict() | fields)
    except UserError as error:
        raise UserError(f"--prompt {error.field}", error.value, error.remedy) from None
