"""A pretrained language model goes on learning: from watched experiments in words."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from seedo.episodes import Dataset, EpisodeBatch
from seedo.errors import UserError
from seedo.language.hub._forward import forward, handed_to, read_once, shares
from seedo.language.hub._model import (
    ADAPTER,
    digest,
    hub_folder,
    libraries,
    open_model,
    save_files,
)
from seedo.language.hub._speaker import load_hub_speaker
from seedo.language.hub._tokens import Marked, marked, shared
from seedo.language.runs import read_conditions
from seedo.language.transcripts import Retold
from seedo.learning import (
    Course,
    Method,
    NetworkKind,
    Report,
    State,
    Stored,
    cosine_rate,
    held_out,
    minibatches,
    short,
    stream,
    train,
    usable,
)
from seedo.recipes import HUB, Recipe, TuningRecipe
from seedo.storage import AnyPlace

LOG_EVERY = 10
"""Optimiser steps between lines of metrics.jsonl."""
LOOKS = 8
"""How often, at most, held-out episodes are looked at on the way."""
HELDOUT = 64
"""Held-out episodes of each dataset that are looked at."""
WARM_UP = 0.05
"""Share of the steps over which the learning rate rises."""


@dataclass(frozen=True)
class HubArchitecture:
    """What agent.json says of a tuned model.

    Attributes:
        base: name of the model that was tuned; sha256: of its files.
        lora: rank of the adapters; 0: the weights themselves were tuned.
        conditions: under which the watched episodes were put into words.
    """

    base: str
    sha256: str
    lora: int
    conditions: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"kind": "hf", **dataclasses.asdict(self)}


def tune(
    logs: Sequence[AnyPlace],
    out: str | Path,
    recipe: TuningRecipe,
    resume: bool = False,
    progress: Callable[[Report], None] | None = None,
    checkpoint_seconds: float = 120.0,
) -> None:
    """Tune a pretrained language model on dataset folders and write it to an agent folder.

    The folder is one of Hugging Face's format (of PEFT's with `lora`) beside our agent.json, and
    plays as `hf:FOLDER`. A killed job goes on with `resume` and ends in the same bytes. The last
    twentieth of each dataset's shards (at least one) is held out.

    Raises:
        UserError: a model or logs that cannot be used, bad settings, divergence, or an output
            folder that is not this job's.
    """
    if not logs:
        raise UserError("logs", None, "give at least one dataset folder")
    source = hub_folder(recipe.network)
    if (source / ADAPTER).is_file():
        remedy = "holds adapters: tune the model that they are for"
        raise UserError("network", recipe.network, remedy)
    conditions = read_conditions(recipe.prompt)
    retold = [Retold(Dataset(path), conditions, recipe.slips) for path in logs]
    _check_logs([one.dataset for one in retold], recipe)
    base = digest(source)
    job = dataclasses.asdict(recipe) | {
        "base": base,
        "logs": [one.dataset.manifest_hash for one in retold],
    }
    libraries()
    train(
        _Tuning(source, base, retold, recipe), Path(out), job,
        resume=resume, progress=progress, checkpoint_seconds=checkpoint_seconds,
    )  # fmt: skip


def _check_logs(datasets: Sequence[Dataset], recipe: TuningRecipe) -> None:
    for dataset in datasets:
        path = str(dataset.path)
        if not dataset.complete:
            raise UserError(path, None, "unfinished: run its job with --resume first")
        if len(dataset.shards) < 2:
            remedy = "has one shard; two are needed to hold one out: watch more episodes"
            raise UserError(path, None, remedy)
        if usable(dataset) < recipe.batch_size:
            remedy = f"{path} has {usable(dataset)} episodes to train on: use that or less"
            raise UserError("batch_size", recipe.batch_size, remedy)


class _Tuning(Method):
    """Steps of AdamW on minibatches of conversations, in PyTorch."""

    watched = ("exploit_loss",)
    goes_on = False  # twice the size of the model, and nobody goes on from it

    def __init__(
        self, source: Path, base: str, retold: Sequence[Retold], recipe: TuningRecipe
    ) -> None:
        self.source, self.retold, self.recipe = source, retold, recipe
        conditions = retold[0].conditions.to_dict()
        self.architecture = HubArchitecture(recipe.network, base, recipe.lora, conditions)
        self.datasets = [one.dataset for one in retold]
        per_epoch = sum(minibatches(self.datasets, recipe.batch_size))
        self.total: int = max(1, round(recipe.epochs * per_epoch))
        self.torch, _ = libraries()

    # -- the model ------------------------------------------------------------------------------

    def start(self) -> State:
        self.torch.manual_seed(self.recipe.seed)
        opened = open_model(str(self.source))
        self.stored = opened.model.dtype
        model = opened.model.float()
        self.opened = dataclasses.replace(opened, model=self._prepared(model))
        self.learnt = {n: p for n, p in self.opened.model.named_parameters() if p.requires_grad}
        self.optimiser = self.torch.optim.AdamW(
            self.learnt.values(), lr=0.0, weight_decay=self.recipe.weight_decay, foreach=False
        )
        return State(_arrays(self.learnt), {m: _zeros(self.learnt) for m in _MOMENTS})

    def _prepared(self, model: Any) -> Any:
        """The model with adapters, if asked for, and what stays as it is frozen."""
        recipe, layers = self.recipe, _layers(model)
        if recipe.freeze >= len(layers) and recipe.freeze:
            remedy = f"the model has {len(layers)} layers: freeze fewer"
            raise UserError("freeze", recipe.freeze, remedy)
        if recipe.lora:
            return _with_adapters(self.torch, model, recipe, layers, str(self.source.resolve()))
        if recipe.freeze:
            frozen = [model.get_input_embeddings(), *layers[: recipe.freeze]]
            for module in frozen:
                module.requires_grad_(False)
        return model

    def begin(self, state: State, done: int, rows: list[str]) -> State:
        torch = self.torch
        with torch.no_grad():
            for name, parameter in self.learnt.items():
                parameter.copy_(_tensor(torch, state.network[name]))
                if done:
                    moments = {m: _tensor(torch, state.rest[m][name]) for m in _MOMENTS}
                    step = torch.tensor(float(done))
                    self.optimiser.state[parameter] = {"step": step} | {
                        m: moment.to(parameter.device) for m, moment in moments.items()
                    }
        self.shares = shares(self.opened.model)
        self.held = [self._lesson(i, self._held_out(i)) for i in range(len(self.retold))]
        if not any(self.held):
            path = str(self.datasets[0].path)
            raise UserError(path, None, "none of its held-out episodes can be put into words")
        self.held_loss = json.loads(rows[-1])["heldout_exploit_loss"] if rows else float("nan")
        visits = (1,) * len(self.datasets)
        self.stream = stream(self.datasets, self.recipe.batch_size, self.recipe.seed, done, visits)
        return state

    def arrays(self, state: State) -> State:
        states = self.optimiser.state
        moments = {
            m: {n: _array(states[p][m] if p in states else p * 0) for n, p in self.learnt.items()}
            for m in _MOMENTS
        }
        return State(_arrays(self.learnt), moments)

    # -- learning ---------------------------------------------------------------------------------

    def _held_out(self, index: int) -> EpisodeBatch:
        return held_out(self.datasets[index]).take(slice(0, HELDOUT))

    def _lesson(self, index: int, batch: EpisodeBatch) -> list[Marked]:
        coder, longest = self.opened.tokenizer, self.opened.longest
        results = self.recipe.loss_on == "results"
        rows = [marked(coder, watched, results) for watched in self.retold[index].told(batch)]
        most = max((len(row.ids) for row in rows), default=0)
        if most > longest:
            raise UserError("logs", f"{most} tokens", f"the model reads {longest} at most")
        return rows

    def step(self, state: State, number: int, fraction: float) -> tuple[State, Any]:
        rows = self._lesson(*next(self.stream))
        warm_up = max(1.0, WARM_UP * self.total)
        for group in self.optimiser.param_groups:
            group["lr"] = cosine_rate(self.recipe.rate, number, fraction, warm_up)
        self.optimiser.zero_grad(set_to_none=True)
        explore = exploit = self.torch.tensor(float("nan"))
        if rows:
            explore, exploit = self._losses(rows)
            (self.recipe.explore_weight * explore + exploit).backward()
        for parameter in self.learnt.values():  # one that was not used has no moments otherwise
            if parameter.grad is None:
                parameter.grad = self.torch.zeros_like(parameter)
        self.torch.nn.utils.clip_grad_norm_(self.learnt.values(), 1.0)
        self.optimiser.step()
        return state, (float(explore.detach()), float(exploit.detach()))

    def _losses(self, rows: list[Marked]) -> tuple[Any, Any]:
        """Mean cross-entropy (nats a token) of experiments and of exploit actions.

        What all conversations begin with is read once, and scores of tokens are made only where one
        of them is the experimenter's: both change the time it takes, not the result.
        """
        torch, device = self.torch, self.opened.device
        first = min(int(np.flatnonzero(row.part)[0]) for row in rows)
        before = shared([row.ids for row in rows], first - 1) if self.shares else 0
        width = max(len(row.ids) for row in rows) - before
        table = np.full((len(rows), width), self.opened.tokenizer.pad_token_id, np.int64)
        part, seen = np.zeros((len(rows), width), np.int8), np.ones((len(rows), before + width))
        for i, row in enumerate(rows):
            own = len(row.ids) - before
            table[i, :own], part[i, :own] = row.ids[before:], row.part[before:]
            seen[i, before + own :] = 0
        columns = np.flatnonzero(part.any(0))
        with torch.autocast(
            device.type, torch.bfloat16, enabled=self.recipe.precision == "bfloat16"
        ):
            memory = None
            if before:
                prefix = torch.tensor(rows[0].ids[None, :before], device=device)
                memory = handed_to(read_once(self.opened.model, prefix), len(rows))
            scores, _ = forward(
                self.opened.model,
                memory,
                input_ids=torch.tensor(table, device=device),
                attention_mask=torch.tensor(seen, dtype=torch.int64, device=device),
                use_cache=bool(before),
                logits_to_keep=torch.tensor(columns - 1, device=device),
            )
        losses = []
        for kind in (1, 2):
            where = torch.tensor(part[:, columns] == kind, device=device)
            said = torch.tensor(table[:, columns], device=device)[where]
            loss = torch.nn.functional.cross_entropy(scores[where].float(), said, reduction="sum")
            losses.append(loss / max(1, len(said)))
        return losses[0], losses[1]

    # -- what is told of it -----------------------------------------------------------------------

    def due(self, done: int) -> bool:
        return done % LOG_EVERY == 0

    def row(
        self, state: State, figures: list[Any], done: int, seconds: float, last: bool
    ) -> dict[str, Any]:
        every = max(1, self.total // LOG_EVERY // LOOKS)
        if last or (done // LOG_EVERY) % every == 0:
            with self.torch.no_grad():
                size = self.recipe.batch_size
                parts = [
                    float(self._losses(rows[i : i + size])[1])
                    for rows in self.held
                    for i in range(0, len(rows), size)
                ]
            self.held_loss = float(np.mean(parts))
        explore, exploit = np.nanmean(np.asarray(figures), axis=0)
        self.speed = len(figures) * self.recipe.batch_size / max(seconds, 1e-9)
        return {
            "step": done,
            "episodes": done * self.recipe.batch_size,
            "explore_loss": short(explore),
            "exploit_loss": short(exploit),
            "heldout_exploit_loss": short(self.held_loss),
        }

    def told(self, row: dict[str, Any]) -> str:
        return (
            f"loss explore {row['explore_loss']:.3f} exploit {row['exploit_loss']:.3f} "
            f"(held out {row['heldout_exploit_loss']:.3f}), {self.speed:,.1f} episodes/s"
        )

    def record(self, row: dict[str, Any]) -> dict[str, Any]:
        return {
            "recipe": dataclasses.asdict(self.recipe),
            "steps": row["step"],
            "episodes": row["episodes"],
            "data": [d.cited for d in self.datasets],
        }

    def files(self, network: Any) -> dict[str, bytes]:
        """The folder of the tuned model; what is not among its files is not known to it."""
        model = self.opened.model if self.recipe.lora else self.opened.model.to(self.stored)
        with tempfile.TemporaryDirectory() as folder:
            save_files(dataclasses.replace(self.opened, model=model), Path(folder))
            found = {p.name: p.read_bytes() for p in sorted(Path(folder).iterdir()) if p.is_file()}
        found.pop("README.md", None)  # PEFT's has blanks to fill in
        return dict(sorted(found.items(), key=lambda file: not file[0].endswith(".safetensors")))


def _unnamed(datasets: list[Dataset], recipe: Recipe) -> Course:
    raise UserError("network", recipe.network, f"name the model: --network {HUB}FOLDER")


def _load(stored: Stored, greedy: bool) -> Any:
    return load_hub_speaker(str(stored.folder), None if greedy else 0)


HUB_NETWORK = NetworkKind(_load, ("dag", "blicket"), {"batch_size": 1}, _unnamed, speaks=True)
"""A pretrained language model, which `tune` teaches."""

_MOMENTS = ("exp_avg", "exp_avg_sq")


def _layers(model: Any) -> Any:
    """The model's layers, from the lowest.

    Raises:
        UserError: they are not where such models have them.
    """
    layers = getattr(model.get_decoder(), "layers", None)
    if layers is None:
        layers = getattr(model.get_decoder(), "h", None)  # of the GPT-2 family
    if layers is None:
        raise UserError("model", type(model).__name__, "its layers are not known here")
    return layers


def _with_adapters(torch: Any, model: Any, recipe: TuningRecipe, layers: Any, base: str) -> Any:
    """The model with low-rank adapters on every linear map of the layers that are not frozen."""
    try:
        import peft
    except ImportError:
        raise UserError("peft", None, '--lora needs it: pip install "seedo[hf]"') from None
    linear = {
        name.rpartition(".")[2]
        for name, module in layers.named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    if not linear:
        raise UserError("--lora", type(model).__name__, "has no linear maps: leave it out")
    settings = peft.LoraConfig(
        r=recipe.lora,
        lora_alpha=2 * recipe.lora,
        lora_dropout=0.0,
        target_modules=sorted(linear),
        layers_to_transform=list(range(recipe.freeze, len(layers))),
        task_type="CAUSAL_LM",
        base_model_name_or_path=base,
    )
    return peft.get_peft_model(model, settings)


def _array(tensor: Any) -> Any:
    return jnp.asarray(tensor.detach().float().cpu().numpy())


def _arrays(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: _array(parameter) for name, parameter in parameters.items()}


def _zeros(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: jnp.zeros(tuple(p.shape), jnp.float32) for name, p in parameters.items()}


def _tensor(torch: Any, array: Any) -> Any:
    return torch.tensor(np.asarray(array))
