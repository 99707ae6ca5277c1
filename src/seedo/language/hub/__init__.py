"""Pretrained models in Hugging Face's format: `hf:FOLDER` plays, and learns by watching."""

from seedo.language.hub._model import HubModel, digest, hub_folder, open_model, save_files
from seedo.language.hub._speaker import LONGEST_REPLY, HubSpeaker, load_hub_speaker
from seedo.language.hub._tokens import Marked, marked, rendered, shared
from seedo.language.hub._tuning import HUB_NETWORK, HubArchitecture, tune

__all__ = [
    "HUB_NETWORK",
    "LONGEST_REPLY",
    "HubArchitecture",
    "HubModel",
    "HubSpeaker",
    "Marked",
    "digest",
    "hub_folder",
    "load_hub_speaker",
    "marked",
    "open_model",
    "rendered",
    "save_files",
    "shared",
    "tune",
]
