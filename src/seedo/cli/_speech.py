"""Players who speak: text understudies and language models on stage."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from seedo import execution
from seedo.cli._console import Count, notes
from seedo.errors import UserError, whole

SMALL_EXAMPLES = 2
"""Examples that a small model is shown unless the user says how many."""


@dataclass(frozen=True)
class SpeechOptions:
    """How those who speak are prompted, called and paid."""

    prompt: Annotated[
        list[str] | None,
        typer.Option(
            help="Language models: a switch of the prompt, e.g. names=contrary; repeat it."
        ),
    ] = None
    examples: Annotated[
        str | None,
        typer.Option(help="Language models: which example episodes are shown, by number: 4,5."),
    ] = None
    budget_usd: Annotated[float | None, typer.Option(help="llm: stop at so many US dollars.")] = (
        None
    )
    budget_tokens: Annotated[int | None, typer.Option(help="llm: stop at so many tokens.")] = None
    price_in: Annotated[
        float | None, typer.Option(help="llm: dollars for a million tokens read.")
    ] = None
    price_out: Annotated[float | None, typer.Option(help="llm: dollars for a million written.")] = (
        None
    )
    prices: Annotated[Path | None, typer.Option(help="llm: JSON file of prices by model.")] = None
    temperature: Annotated[float | None, typer.Option(help="llm: of its sampling.")] = None
    max_tokens: Annotated[int | None, typer.Option(help="llm, hf: longest reply.")] = None
    connections: Annotated[int | None, typer.Option(help="llm: calls in flight (default 10).")] = (
        None
    )
    timeout: Annotated[
        int | None, typer.Option(help="llm: seconds before a call is tried again (default 120).")
    ] = None
    retries: Annotated[int | None, typer.Option(help="llm: tries of a call again (default 6).")] = (
        None
    )
    endpoint: Annotated[
        list[str] | None,
        typer.Option(help="llm: address of a server of the model; repeat it, with --executor."),
    ] = None
    cache: Annotated[bool, typer.Option("--cache", help="llm: answer from Inspect's cache.")] = (
        False
    )

    def given(self) -> dict[str, Any]:
        """The options that were given, by option."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {"--" + n.replace("_", "-"): v for n, v in values.items() if v not in (None, False)}

    def only_prompt(self) -> None:
        """Refuses options of language models that are called, for a player in this process.

        Raises:
            UserError: one of them is given.
        """
        for option, value in self.given().items():
            if option not in ("--prompt", "--examples", "--max-tokens"):
                raise UserError(option, str(value), "only for players llm:MODEL")

    def calls(self) -> Any:
        """How a model is called."""
        from seedo import language

        options: dict[str, Any] = {
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "max_connections": self.connections,
            "timeout": self.timeout,
            "retries": self.retries,
            "cache": self.cache,
        }
        with _as_typed():
            return language.Calls(**{n: v for n, v in options.items() if v is not None})

    def talkers(self, workers: Any) -> Any:
        """Who holds conversations, if it is not this process.

        Raises:
            UserError: an endpoint without workers, or one that is no address.
        """
        from seedo import language

        endpoints = tuple(language.check_endpoint(address) for address in self.endpoint or ())
        if workers is None:
            if endpoints:
                remedy = f"give --executor too, e.g. local:{len(endpoints)}"
                raise UserError("--endpoint", endpoints[0], remedy)
            return None
        return language.Talkers(workers, workers.count, endpoints)

    def conditions(self, base: Any = None) -> Any:
        """The switches of the prompt; those not given as in `base`."""
        from seedo import language

        return language.read_conditions(self.prompt or [], base)

    def check(self) -> None:
        """Refuses values that nobody could use, before anything is imported.

        Raises:
            UserError: one of them was given.
        """
        if self.max_tokens is not None:
            whole("--max-tokens", self.max_tokens, 1, 65_536)
        if self.examples is None:
            return
        numbers = self._numbers()
        if not all(n.isascii() and n.isdigit() for n in numbers):
            raise UserError("--examples", self.examples, "write whole numbers, as in 4,5")
        if any(len(n) > 9 for n in numbers):
            raise UserError("--examples", self.examples, "use numbers up to 999999999")
        if len(set(map(int, numbers))) < len(numbers):
            raise UserError("--examples", self.examples, "name each episode once")

    def _numbers(self) -> list[str]:
        return [part.strip() for part in (self.examples or "").split(",")]

    def shown(self, conditions: Any, seed: int) -> tuple[Any, Any]:
        """The conditions with the number of examples that are named, and these; None: the first.

        Raises:
            UserError: another count of them than a condition asks for.
        """
        if self.examples is None:
            return conditions, None
        from seedo.language.runs import Examples

        numbers = self._numbers()
        typed = any(text.partition("=")[0] == "examples" for text in self.prompt or ())
        if typed and conditions.examples != len(numbers):
            remedy = f"name {conditions.examples}, as --prompt examples says"
            raise UserError("--examples", self.examples, remedy)
        conditions = dataclasses.replace(conditions, examples=len(numbers))
        return conditions, Examples(tuple(map(int, numbers)), seed=seed)

    def budget(self) -> Any:
        """What a run may cost."""
        from seedo import language

        with _as_typed():
            return language.Budget(self.budget_usd, self.budget_tokens)


@contextmanager
def _as_typed() -> Iterator[None]:
    """What is wrong with an argument, said of the option that it was typed as."""
    try:
        yield
    except UserError as error:
        name = {"max_connections": "connections"}.get(error.field, error.field.replace(" ", "_"))
        if name not in (field.name for field in fields(SpeechOptions)):
            raise
        option = "--" + name.replace("_", "-")
        raise UserError(option, error.value, error.remedy) from error


def studied(name: str, speech: SpeechOptions) -> Any:
    """Who is studied, as `studies.study` takes it."""
    from seedo import experimenters, studies

    if speech.examples is not None:
        raise UserError("--examples", speech.examples, "only for perform: a study has its own")
    if not experimenters.is_spoken(name):
        speech.only_prompt()
    calls, budget = speech.calls(), speech.budget()
    with _as_typed():
        return studies.find_text_player(
            name,
            speech.conditions(),
            calls,
            budget,
            speech.price_in,
            speech.price_out,
            speech.prices,
        )


def perform_text(world: Any, name: str, speech: SpeechOptions, greedy: bool, **options: Any) -> Any:
    """A model of this process on stage, one that was tuned under the prompt it knows unless told
    otherwise; the finished dataset. `options`: as `record_speaker` takes them."""
    from seedo import language

    base = language.taught_conditions(name)
    conditions, examples = speech.shown(speech.conditions(base), options["seed"])
    seed = None if greedy else options["seed"]
    with _as_typed():
        speaker = language.load_speaker(name, seed, speech.max_tokens)
    typed = [] if greedy else ["--sample"]
    if speech.max_tokens is not None:
        typed += ["--max-tokens", str(speech.max_tokens)]
    with Count("performing") as progress:
        return language.record_speaker(
            world,
            speaker,
            conditions=conditions,
            examples=examples,
            base=base,
            typed=typed,
            progress=progress,
            meter=speaker,
            name=name,
            **options,
        )


def perform_llm(
    world: Any, model: str, speech: SpeechOptions, executor: str, **options: Any
) -> Any:
    """A language model on stage, through Inspect; the finished dataset.

    Raises:
        UserError: the run stopped before its end; what is finished is kept.
    """
    from seedo import language

    conditions, examples = speech.shown(speech.conditions(), options["seed"])
    choose = False
    told = examples is not None or any(
        text.partition("=")[0] == "examples" for text in speech.prompt or ()
    )
    if not told and language.is_small(model):
        conditions, choose = dataclasses.replace(conditions, examples=SMALL_EXAMPLES), True
        notes.print(
            f"{model} is small: {SMALL_EXAMPLES} examples of an expert are shown first "
            "(--prompt examples=0: none)",
            markup=False,
        )
    with execution.open_workers(executor) as workers, Count("performing") as progress:
        run = language.record_llm(
            world,
            model,
            talkers=speech.talkers(workers),
            conditions=conditions,
            examples=examples,
            choose=choose,
            calls=speech.calls(),
            budget=speech.budget(),
            price_in=speech.price_in,
            price_out=speech.price_out,
            prices=speech.prices,
            progress=progress,
            say=lambda text: notes.print(text, markup=False),
            **options,
        )
    notes.print(run.sentence(), markup=False)
    if run.stopped:
        for episode, why in run.failed[:5]:
            notes.print(f"episode {episode}: {why}", style="yellow", markup=False)
        raise UserError("episodes", f"{run.finished} of {run.total} finished", run.stopped)
    return run.dataset
