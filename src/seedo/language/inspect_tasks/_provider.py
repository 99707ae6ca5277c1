"""Our own players as models of Inspect: `seedo/scripted:expert`, `seedo/follower`, ..."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import anyio
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    modelapi,
)
from inspect_ai.tool import ToolCall, ToolChoice, ToolInfo

from seedo.errors import UserError
from seedo.language._speakers import load_speaker, speaks
from seedo.language.hub import HubSpeaker
from seedo.language.runs import MeteredSpeaker, Redrawing, follow, follow_with_tools, on_stage
from seedo.language.runs.inspect import ScenePerformance
from seedo.language.scenes import Message, say_call

CONNECTIONS = 1000
"""Samples at once: no server has to be spared."""

_PAUSE = 0.005  # seconds without a new request before a batch goes out
_MOST = 512  # conversations in one batch


@modelapi(name="seedo")
class SeedoAPI(ModelAPI):
    """`scripted:NAME`, `bayes:NAME`, `pretrained:NAME`, `hf:FOLDER` or an agent folder, or
    `follower`.

    Players that see numbers read what is on stage (see `seedo.language.on_stage`); `follower`,
    pretrained models and text understudies know the messages alone. `-M seed=1` seeds what a player
    draws by itself; `--max-tokens` is the longest reply of a pretrained model.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig | None = None,
        seed: int = 0,
        **model_args: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config or GenerateConfig())
        for field in model_args:
            raise UserError(field, model_args[field], "model arguments of seedo/...: seed")
        self._seed = seed
        speaker = _find_speaker(model_name, config or GenerateConfig())
        self._speaker = speaker
        self._batches = Batches(speaker) if speaker else None
        self._longest: int | None = getattr(speaker, "longest", None)

    def max_connections(self) -> int:
        return CONNECTIONS

    def connection_key(self) -> str:
        return self.model_name

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        call, text, spent = None, "", None
        if self._batches is not None:
            offered = _schemas(tools) if isinstance(self._speaker, HubSpeaker) else []
            stage = on_stage.get()
            refused = stage.refused if isinstance(stage, ScenePerformance) else 0
            text, spent = await self._batches.reply(_messages(input), offered, refused)
        elif self.model_name == "follower":
            messages = _messages(input)
            call = follow_with_tools(messages, [tool.name for tool in tools]) if tools else None
            text = "" if call else follow(messages)
        else:
            stage = on_stage.get()
            if stage is None:
                raise UserError("model", self.model_name, "plays Seedo's own tasks only")
            if tools and isinstance(stage, ScenePerformance):
                call = stage.call(self.model_name, self._seed)
            text = "" if call else stage.line(self.model_name, self._seed)
        output = _output(self.model_name, input, text, call, spent)
        if spent is not None and self._longest is not None and spent[1] >= self._longest:
            output.choices[0].stop_reason = "max_tokens"
        return output


def _output(
    name: str,
    input: list[ChatMessage],
    text: str,
    call: tuple[str, dict[str, Any]] | None,
    spent: tuple[int, int] | None,
) -> ModelOutput:
    message = ChatMessageAssistant(content=text, model=name, source="generate")
    if call is not None:
        message.tool_calls = [
            ToolCall(id=f"call-{len(input)}", function=call[0], arguments=call[1])
        ]
    # Words stand for tokens where a player has none: Inspect would look for a tokenizer.
    heard, said = spent or (
        sum(len(m.text.split()) for m in input),
        len(text.split()) + (1 + len(call[1]) if call else 0),
    )
    usage = ModelUsage(input_tokens=heard, output_tokens=said, total_tokens=heard + said)
    choice = ChatCompletionChoice(message=message, stop_reason="tool_calls" if call else "stop")
    return ModelOutput(model=name, choices=[choice], usage=usage)


def _messages(input: list[ChatMessage]) -> list[Message]:
    """As a text model reads them: results of tools are what the user says next."""
    found: list[Message] = []
    for message in input:
        role: Any = "user" if message.role == "tool" else message.role
        text = message.text
        if isinstance(message, ChatMessageAssistant) and message.tool_calls:
            calls = (say_call(call.function, call.arguments) for call in message.tool_calls)
            text = "\n".join(part for part in (text, *calls) if part)
        found.append({"role": role, "content": text})
    return found


def _schemas(tools: list[ToolInfo]) -> list[dict[str, Any]]:
    """Tools as chat templates take them.

    Raises:
        UserError: analyses are among them: a pretrained model of this process calls in words, and
            of these the scene reads actions alone.
    """
    stage = on_stage.get()
    if isinstance(stage, ScenePerformance) and stage.tools == "analysis":
        remedy = "seedo/hf:FOLDER calls actions alone: use tools=actions, or Inspect's hf/local"
        raise UserError("tools", "analysis", remedy)
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters.model_dump(exclude_none=True),
            },
        }
        for tool in tools
    ]


# -- text understudies ----------------------------------------------------------------------------


def _find_speaker(name: str, config: GenerateConfig) -> MeteredSpeaker | None:
    """The model of this name that speaks in this process; None: it is another kind of player."""
    if name == "follower" or not speaks(name):
        return None
    if config.temperature:
        remedy = "models in this process say what is likeliest: leave it out, or set it to 0"
        raise UserError("temperature", config.temperature, remedy)
    return load_speaker(name, max_tokens=config.max_tokens)


class _Request:
    def __init__(self, messages: list[Message], tools: list[dict[str, Any]], refused: int) -> None:
        self.messages = messages
        self.tools = tools
        self.refused = refused
        self.text: str | None = None
        self.spent = (0, 0)
        self.error: Exception | None = None


class Batches:
    """Answers concurrent requests with one call of a speaker, in a thread of its own.

    Whoever holds the lock waits until no more requests arrive, then answers all that wait. Both the
    lock and the requests are first come, first served, so the holder's own is always among them.
    """

    def __init__(self, speaker: MeteredSpeaker) -> None:
        self._speaker = speaker
        self._waiting: list[_Request] = []
        self._asking = 0  # requests that are not answered yet, waiting or not
        self._lock: anyio.Lock | None = None

    async def reply(
        self, messages: list[Message], tools: Sequence[dict[str, Any]] = (), refused: int = 0
    ) -> tuple[str, tuple[int, int]]:
        """The speaker's reply, and the tokens that were read and written for it.

        Args:
            messages: what was said.
            tools: what may be called, as JSON schemas; for a `HubSpeaker` alone.
            refused: how many replies were just refused, for a `Redrawing` speaker.
        """
        request = _Request(messages, list(tools), refused)
        if not self._asking:
            self._lock = anyio.Lock()  # of the running event loop: evaluations follow each other
        self._asking += 1
        self._waiting.append(request)
        try:
            assert self._lock is not None
            async with self._lock:
                while request.text is None and request.error is None:
                    await self._answer()
        finally:  # a request may be given up, too
            self._asking -= 1
            self._waiting = [other for other in self._waiting if other is not request]
        if request.error is not None:
            raise request.error
        assert request.text is not None
        return request.text, request.spent

    async def _answer(self) -> None:
        seen = 0
        while seen < len(self._waiting) < _MOST:
            seen = len(self._waiting)
            await anyio.sleep(_PAUSE)
        batch = self._waiting[:_MOST]
        self._waiting = self._waiting[_MOST:]
        said = [request.messages for request in batch]
        try:
            if isinstance(self._speaker, Redrawing):
                refused = [request.refused for request in batch]
                tools = [request.tools for request in batch]
                reply = partial(self._speaker.replies_after, said, refused, tools)
            else:
                reply = partial(self._speaker.replies, said)
            texts = await anyio.to_thread.run_sync(reply)
            for request, text, spent in zip(batch, texts, self._speaker.spent, strict=True):
                request.text, request.spent = text, spent
        except Exception as error:
            for request in batch:
                request.error = error
