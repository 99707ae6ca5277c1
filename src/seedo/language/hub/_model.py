"""Pretrained language models in Hugging Face's format, opened without running code of theirs.

Only safetensors are read, nothing is unpickled, nothing is fetched; a model whose folder brings
code of its own is not run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedo.errors import UserError, in_one_line
from seedo.language.hub._tokens import COMPLETION
from seedo.recipes import HUB

ADAPTER = "adapter_config.json"
_HASHED = ("*.safetensors", "*.gguf", "config.json", ADAPTER, "tokenizer*.json", "*.jinja")


@dataclass(frozen=True)
class HubModel:
    """A causal language model and its tokenizer.

    Attributes:
        folder: where they lie; of low-rank adapters, theirs.
        model: `transformers.PreTrainedModel`, or one of PEFT around it; in evaluation mode.
        tokenizer: with a chat template, its own or `COMPLETION`.
    """

    folder: Path
    model: Any
    tokenizer: Any

    @property
    def longest(self) -> int:
        """Tokens of a conversation at most."""
        return int(getattr(self.model.config, "max_position_embeddings", None) or 2**31)

    @property
    def device(self) -> Any:
        return next(self.model.parameters()).device


def hub_folder(name: str) -> Path:
    """The folder, or GGUF file, of a name `hf:FOLDER`.

    Raises:
        UserError: there is none on this machine, or it holds no model.
    """
    path = Path(name.removeprefix(HUB))
    if path.suffix == ".gguf" and path.is_file():
        return path
    if not path.is_dir():
        remedy = "no such folder: download the model first (hf:FOLDER reads files of this machine)"
        raise UserError("model", name, remedy)
    if not any((path / file).is_file() for file in ("config.json", ADAPTER)):
        raise UserError("model", name, "not a folder of Hugging Face's format: no config.json")
    held = [file.suffix for file in path.iterdir()]
    if ".safetensors" not in held:
        remedy = "no safetensors in it, and nothing else is read: save it as safetensors first"
        raise UserError("model", name, remedy)
    return path


def libraries() -> tuple[Any, Any]:
    """torch and transformers.

    Raises:
        UserError: one of them is not installed.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise UserError(error.name or "torch", None, _INSTALL) from None
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return torch, transformers


_INSTALL = 'models of Hugging Face\'s format need it: pip install "seedo[hf]"'


def open_model(name: str, dtype: str = "auto") -> HubModel:
    """A pretrained model by name, `hf:FOLDER`, on a GPU if there is one.

    One whose tokenizer has no chat template is taken to continue text; see `COMPLETION`.

    Args:
        name: or a path alone; also of a folder with low-rank adapters, whose base model has to be
            where it was, or of one GGUF file.
        dtype: of its weights; "auto": as they are stored.

    Raises:
        UserError: no such model, or one that cannot be read.
    """
    path = hub_folder(name)
    torch, transformers = libraries()
    with _readable(name):
        if path.suffix == ".gguf":
            tokenizer, model = _dequantised(path, torch, transformers)
        elif (path / ADAPTER).is_file():
            tokenizer, model = _adapted(path, dtype, transformers)
        else:
            options = {"trust_remote_code": False, "local_files_only": True}
            tokenizer = transformers.AutoTokenizer.from_pretrained(path, **options)
            model = transformers.AutoModelForCausalLM.from_pretrained(
                path, use_safetensors=True, dtype=dtype, **options
            )
    if not tokenizer.chat_template:
        tokenizer.chat_template = COMPLETION
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    return HubModel(path, model, tokenizer)


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Whatever the libraries raise about files that are not as they should be, in one line."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError("model", name, f"cannot be read: {in_one_line(error)}") from error


def _adapted(path: Path, dtype: str, transformers: Any) -> tuple[Any, Any]:
    """A model with low-rank adapters."""
    try:
        import peft
    except ImportError:
        raise UserError("peft", None, _INSTALL) from None
    base = json.loads((path / ADAPTER).read_text())["base_model_name_or_path"]
    try:
        hub_folder(base)
    except UserError as error:
        raise UserError("model", str(path), f"its base model: {error.remedy} ({base})") from None
    options = {"trust_remote_code": False, "local_files_only": True}
    tokenizer = transformers.AutoTokenizer.from_pretrained(path, **options)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        base, use_safetensors=True, dtype=dtype, **options
    )
    return tokenizer, peft.PeftModel.from_pretrained(model, path, use_safetensors=True)


def _dequantised(path: Path, torch: Any, transformers: Any) -> tuple[Any, Any]:
    """The model of a GGUF file, as bfloat16.

    transformers refuses to save a model that it has read from quantised weights, even though they
    are no longer quantised: it is made again from the configuration without that part.
    """
    where = {"gguf_file": path.name, "local_files_only": True}
    tokenizer = transformers.AutoTokenizer.from_pretrained(path.parent, **where)
    read = transformers.AutoModelForCausalLM.from_pretrained(
        path.parent, dtype=torch.float32, **where
    )
    fields = read.config.to_dict()
    fields.pop("quantization_config", None)
    config = type(read.config).from_dict(fields)
    model = type(read)(config)
    model.load_state_dict(read.state_dict())
    model.generation_config = read.generation_config
    return tokenizer, model.to(torch.bfloat16)


def save_files(opened: HubModel, folder: Path) -> None:
    """Write a model as a folder of Hugging Face's format; the same model gives the same bytes.

    Raises:
        UserError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        opened.model.save_pretrained(folder, max_shard_size="1000GB")
        opened.tokenizer.save_pretrained(folder)
        settings = folder / ADAPTER
        if settings.is_file():  # PEFT writes sets in the order of the process
            fields = json.loads(settings.read_text())
            ordered = {k: sorted(v) if _texts(v) else v for k, v in fields.items()}
            settings.write_text(json.dumps(ordered, indent=2, sort_keys=True))
    except OSError as error:
        raise UserError(str(folder), None, f"cannot be written: {error.strerror}") from error


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def digest(path: Path) -> str:
    """SHA-256 (hex) of what makes a model what it is: weights, configuration, tokenizer."""
    files = [path]
    if path.is_dir():
        files = sorted({file for pattern in _HASHED for file in path.glob(pattern)})
    total = hashlib.sha256()
    for file in files:
        with open(file, "rb") as opened:
            own = hashlib.file_digest(opened, "sha256").hexdigest()
        total.update(f"{file.name} {own}\n".encode())
    return total.hexdigest()
