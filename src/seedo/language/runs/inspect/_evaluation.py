"""The part of `record_llm` that knows Inspect: models, evaluations, their logs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import anyio
from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import MemoryDataset
from inspect_ai.event import ModelEvent
from inspect_ai.hooks import BeforeModelGenerate, Hooks, SampleEnd, SampleEvent, hooks
from inspect_ai.log import EvalLog, EvalSample, list_eval_logs, read_eval_log
from inspect_ai.model import CachePolicy, GenerateConfig, Model, get_model
from inspect_ai.util import LimitExceededError
from tenacity.wait import wait_exponential, wait_random

from seedo.errors import UserError
from seedo.language.runs._calls import OUT_OF_BUDGET, Calls, Played, Watch
from seedo.language.runs._costs import Spending, count_tokens
from seedo.language.runs._record import RunPlan
from seedo.language.runs.inspect._samples import episode_samples
from seedo.language.runs.inspect._scorer import episode_return
from seedo.language.runs.inspect._solver import play_scene

_FEWEST = 16  # tokens of a reply that every server allows
_PROBES = 2  # retries of the first call, so that a wrong address is soon told
_LONGEST_WAIT = 60.0  # seconds between two tries of a call


def open_model(name: str, calls: Calls, seed: int, endpoint: str | None = None) -> Model:
    """A model by its Inspect name, which retries failed calls after growing waits.

    Args:
        endpoint: the address of its server; None: the provider's, or what the environment says.

    Raises:
        UserError: no such provider or model, or its key or address is not set.
    """
    # The client of OpenAI-like servers would retry by itself, unseen.
    own: dict[str, Any] = {"max_retries": 0} if name.startswith("openai-api/") else {}
    config = GenerateConfig(
        max_retries=calls.retries,
        attempt_timeout=calls.timeout,
        max_connections=calls.max_connections,
        temperature=calls.temperature,
        max_tokens=calls.max_tokens,
        seed=seed,
        cache=CachePolicy(expiry=None) if calls.cache else None,
    )
    try:
        model = get_model(name, config=config, memoize=False, base_url=endpoint, **own)
    except Exception as error:  # whatever a provider raises: it was named by the user
        raise UserError("model", name, _sentence(str(error))) from error
    waits = wait_exponential(multiplier=calls.backoff, max=_LONGEST_WAIT)
    model.api.retry_wait = lambda: waits + wait_random(0, calls.backoff)  # type: ignore[method-assign]
    return model


def probe(name: str, calls: Calls, seed: int) -> None:
    """Ask a model for one token.

    Raises:
        UserError: it does not answer; says what it said instead.
    """
    if name.split("/")[0] in ("seedo", "mockllm"):  # need a stage, or never fail
        return

    async def ask() -> None:
        async with open_model(name, calls, seed) as model:
            retries, timeout = min(calls.retries, _PROBES), max(calls.timeout, 30)
            for tokens in (1, _FEWEST):
                patient = GenerateConfig(
                    max_retries=retries, attempt_timeout=timeout, max_tokens=tokens
                )
                try:
                    await model.generate("Reply with the word ready.", config=patient, cache=False)
                    return
                except Exception as error:  # some servers refuse a reply of one token
                    if tokens == _FEWEST or "token" not in str(error).lower():
                        raise

    try:
        anyio.run(ask)
    except UserError:
        raise
    except Exception as error:
        remedy = f"does not answer: {_sentence(_cause(error))}"
        raise UserError("model", name, remedy) from error


def episode_task(plan: RunPlan, episodes: Sequence[int]) -> Task:
    """These episodes as samples of task `seedo/experiment`."""
    where = (plan.seed, plan.stream, plan.conditions, plan.examples)
    samples = episode_samples(plan.world, episodes, *where)
    return Task(
        MemoryDataset(samples),
        solver=play_scene(),
        scorer=episode_return(),
        name="seedo/experiment",
    )


def play(
    task: Task,
    model: Model,
    folder: Path,
    calls: Calls,
    watch: Watch,
) -> EvalLog:
    """Play the episodes of a task into one log in `folder`.

    Finished episodes reach the disk one by one. The evaluation ends early when more episodes have
    failed than are played at once; the episodes in play do, once `watch` refuses further calls.

    Args:
        task: see `episode_task`.
        model: who plays.
        folder: of the logs.
        calls: how the model is called.
        watch: told of every call and of every end.

    Raises:
        KeyboardInterrupt: the user interrupted it; what was finished is in the log.
    """
    _register()
    token = _watch.set(watch)
    try:
        logs = evaluate(
            task,
            model=model,
            display="none",
            log_dir=str(folder),
            log_format="eval",
            log_buffer=1,
            log_realtime=False,
            ctl_server=False,
            fail_on_error=max(2, calls.max_connections),
            max_samples=calls.max_connections,
            score_display=False,
        )
    finally:
        _watch.reset(token)
    if not logs or logs[0].status == "cancelled":  # Inspect swallows the interruption
        raise KeyboardInterrupt
    return logs[0]


def read_logs(folder: Path) -> Iterator[EvalLog]:
    """All logs in a folder, oldest first, those of killed evaluations too.

    Raises:
        UserError: a log cannot be read.
    """
    for info in list_eval_logs(str(folder), descending=False):
        try:
            yield read_eval_log(info)
        except Exception as error:
            remedy = (
                f"cannot be read ({_sentence(str(error))}): remove it to play its episodes again"
            )
            raise UserError(info.name, None, remedy) from error


def played(log: EvalLog) -> Iterator[Played]:
    """What the samples of a log say about their episodes."""
    for sample in log.samples or []:
        yield _played(sample)


def _played(sample: EvalSample) -> Played:
    spent, known, truncated, retried = Spending(), True, 0, Counter[str]()
    for event in sample.events:
        if not isinstance(event, ModelEvent) or event.pending:
            continue
        if event.error:
            retried[_kind(event.error)] += 1
            continue
        retried["in the client"] += event.retries or 0
        # An endpoint may send no choices at all.
        choices = event.output.choices
        truncated += bool(choices) and choices[0].stop_reason == "max_tokens"
        known &= event.cache == "read" or event.output.usage is not None
        spent += _spent(event)
    record = sample.metadata.get("episode", {})
    failure = "" if record.get("finished") else "broken off"
    if sample.error is not None:
        failure = _sentence(sample.error.message)
        # The last error of the call that failed for good was not followed by another try.
        last = [e for e in sample.events if isinstance(e, ModelEvent)]
        if last and last[-1].error:
            retried[_kind(last[-1].error)] -= 1
    elif sample.limit is not None:
        failure = OUT_OF_BUDGET
    return Played(
        episode=sample.metadata["index"],
        record=record,
        failure=failure,
        spent=spent,
        known=known,
        retried=+retried,
        truncated=truncated,
        seconds=sample.total_time,
    )


def _spent(event: ModelEvent) -> Spending:
    """What a call used: as the server says, or if it says nothing, estimated from the texts."""
    if event.cache == "read":
        return Spending()
    usage = event.output.usage
    if usage is None or min(usage.input_tokens, usage.output_tokens) < 0:
        asked = sum(count_tokens(message.text) for message in event.input)
        return Spending(asked, count_tokens(event.output.completion))
    cached = max(0, usage.input_tokens_cache_read or 0)
    cached += max(0, usage.input_tokens_cache_write or 0)
    return Spending(usage.input_tokens + cached, usage.output_tokens)


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)
_registered: list[str] = []


def _register() -> None:
    """Have Inspect tell whoever watches of every call; once in a process."""
    if not _registered:
        _registered.append("seedo_watch")
        hooks(name="seedo_watch", description="Counts calls against a budget.")(_Told)


class _Told(Hooks):
    def __init__(self) -> None:
        self._counted: set[str] = set()  # an event is told more than once

    def enabled(self) -> bool:
        return _watch.get() is not None

    async def on_before_model_generate(self, data: BeforeModelGenerate) -> None:
        watch = _watch.get()
        if watch and not watch.may_call():
            message = "the budget of the run is used up"
            raise LimitExceededError("custom", value=1, limit=1, message=message)

    async def on_sample_event(self, data: SampleEvent) -> None:
        watch, event = _watch.get(), data.event
        if not watch or not isinstance(event, ModelEvent) or event.error or event.pending:
            return
        if event.uuid is not None and event.uuid not in self._counted:
            self._counted.add(event.uuid)
            watch.called(_spent(event), data.eval_id)

    async def on_sample_end(self, data: SampleEnd) -> None:
        watch = _watch.get()
        if watch and data.sample.error is None and data.sample.limit is None:
            watch.ended()


def _kind(error: str) -> str:
    """What went wrong with a call: an HTTP status, or a word."""
    status = re.search(r"(?:Error code|status(?:_code)?)\W{1,3}(\d{3})\b", error)
    if status:
        return status[1]
    lowered = error.lower()
    for word in ("timeout", "connection"):
        if word in lowered:
            return word
    name = re.match(r"\w{1,40}", error)
    return name[0] if name else "error"


def _cause(error: BaseException) -> str:
    """The innermost message of a chain of errors."""
    while (deeper := error.__cause__) is not None:
        error = deeper
    return str(error) or type(error).__name__


def _sentence(text: str) -> str:
    """The last line of a message, in one line and short."""
    plain = re.sub(r"\[/?[a-z ]*\]", "", text)
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    return lines[-1][:160] if lines else "no reason given"
