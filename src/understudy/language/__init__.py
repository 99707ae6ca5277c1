"""Language: worlds in words, language models as experimenters, and models made of text alone."""

from understudy.language._blicket_scene import BlicketScene
from understudy.language._conditions import Conditions
from understudy.language._dag_scene import DagScene
from understudy.language._on_stage import Performance, on_stage
from understudy.language._open import open_scene
from understudy.language._rooms_scene import RoomsScene
from understudy.language._scene import Message, Scene, Tool
from understudy.language._speaker import Speaker, converse

__all__ = [
    "BlicketScene",
    "Conditions",
    "DagScene",
    "Message",
    "Performance",
    "RoomsScene",
    "Scene",
    "Speaker",
    "Tool",
    "converse",
    "on_stage",
    "open_scene",
]
