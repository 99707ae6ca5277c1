"""Players who speak: text understudies and language models on stage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from seedo.cli._console import Count, notes
from seedo.errors import UserError

Prompt = Annotated[
    list[str] | None,
    typer.Option(help="Language models: a switch of the prompt, e.g. names=contrary; repeat it."),
]
BudgetUsd = Annotated[float | None, typer.Option(help="llm: stop at so many US dollars.")]
BudgetTokens = Annotated[int | None, typer.Option(help="llm: stop at so many tokens.")]
PriceIn = Annotated[float | None, typer.Option(help="llm: dollars for a million tokens read.")]
PriceOut = Annotated[float | None, typer.Option(help="llm: dollars for a million written.")]
Prices = Annotated[Path | None, typer.Option(help="llm: JSON file of prices by model.")]
Temperature = Annotated[float | None, typer.Option(help="llm: of its sampling.")]
MaxTokens = Annotated[int | None, typer.Option(help="llm: longest reply.")]
Connections = Annotated[int | None, typer.Option(help="llm: calls in flight (default 10).")]
Timeout = Annotated[
    int | None, typer.Option(help="llm: seconds before a call is tried again (default 120).")
]
Retries = Annotated[int | None, typer.Option(help="llm: tries of a call again (default 6).")]
Cache = Annotated[bool, typer.Option("--cache", help="llm: answer from Inspect's cache.")]


class Purse(NamedTuple):
    """What a run may cost, and what tokens cost."""

    usd: float | None
    tokens: int | None
    price_in: float | None
    price_out: float | None
    prices: Path | None


class Line(NamedTuple):
    """How a model is called."""

    temperature: float | None = None
    max_tokens: int | None = None
    max_connections: int | None = None
    timeout: int | None = None
    retries: int | None = None
    cache: bool = False


def studied(name: str, prompt: list[str], purse: Purse, line: Line) -> Any:
    """Who is studied, as `studies.study` takes it."""
    from seedo import language, studies

    return studies.find_text_player(
        name,
        language.read_conditions(prompt),
        _calls(line),
        language.Budget(purse.usd, purse.tokens),
        purse.price_in,
        purse.price_out,
        purse.prices,
    )


def _calls(line: Line) -> Any:
    from seedo import language

    calls = {field: value for field, value in line._asdict().items() if value is not None}
    return language.Calls(**calls)


def only_for_models(purse: Purse, line: Line) -> None:
    """Refuses options of language models that are called, for any other player.

    Raises:
        UserError: one of them is given.
    """
    given = {"--budget-usd": purse.usd, "--budget-tokens": purse.tokens, "--price-in":
             purse.price_in, "--price-out": purse.price_out, "--prices": purse.prices,
             "--temperature": line.temperature, "--max-tokens": line.max_tokens, "--connections":
             line.max_connections, "--timeout": line.timeout, "--retries": line.retries,
             "--cache": line.cache or None}  # fmt: skip
    for option, value in given.items():
        if value is not None:
            raise UserError(option, str(value), "only for players llm:MODEL")


def is_text_agent(name: str) -> bool:
    """Whether a player's name is that of a text understudy."""
    if name.startswith(("scripted:", "bayes:")):
        return False
    from seedo import language

    return language.speaks(name)


def perform_text(
    world: Any,
    name: str,
    episodes: int,
    seed: int,
    out: Path,
    resume: bool,
    prompt: list[str],
    greedy: bool,
) -> Any:
    """A text understudy on stage; the finished dataset."""
    from seedo import language

    speaker = language.load_speaker(name, None if greedy else seed)
    with Count("performing") as progress:
        return language.record_speaker(
            world,
            speaker,
            episodes,
            seed,
            out,
            conditions=language.read_conditions(prompt),
            resume=resume,
            progress=progress,
        )


def perform_llm(
    world: Any,
    model: str,
    episodes: int,
    seed: int,
    out: Path,
    resume: bool,
    prompt: list[str],
    purse: Purse,
    line: Line,
) -> Any:
    """A language model on stage, through Inspect; the finished dataset.

    Raises:
        UserError: the run stopped before its end; what is finished is kept.
    """
    from seedo import language

    with Count("performing") as progress:
        run = language.record_llm(
            world,
            model,
            episodes,
            seed,
            out,
            conditions=language.read_conditions(prompt),
            calls=_calls(line),
            budget=language.Budget(purse.usd, purse.tokens),
            price_in=purse.price_in,
            price_out=purse.price_out,
            prices=purse.prices,
            resume=resume,
            progress=progress,
            say=lambda text: notes.print(text, markup=False),
        )
    notes.print(run.sentence(), markup=False)
    if run.stopped:
        for episode, why in run.failed[:5]:
            notes.print(f"episode {episode}: {why}", style="yellow", markup=False)
        raise UserError("episodes", f"{run.finished} of {run.total} finished", run.stopped)
    return run.dataset
