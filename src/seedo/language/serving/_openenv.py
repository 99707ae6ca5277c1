"""An OpenEnv server around worlds in words (https://github.com/huggingface/OpenEnv).

A client sends a reply as text and gets what is said next; the reward comes with the last
observation. Needs the package `openenv`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from seedo.errors import UserError
from seedo.language.scenes import Conditions, Scene, open_scene
from seedo.language.serving._environment import STREAM, check_whole, score

OVER = "The episode is over: reset."


def openenv_app(
    world: Any,
    conditions: Conditions | None = None,
    seed: int = 0,
    stream: str = STREAM,
    penalty: float = 0.1,
    sessions: int = 64,
) -> Any:
    """A FastAPI application that serves episodes of a world; run it with `uvicorn`.

    `reset(seed=..., index=...)` begins an episode: the observation's `said` holds the rules and
    what it is about. `step({"reply": ...})` takes a line as the rules ask for; `malformed` says why
    nothing was done, or is empty. `reward` is 0 until the episode is over, then its `score`.

    Args:
        world: as `make` gives it.
        conditions: of the text form, without tools or examples; None: the default ones.
        seed, stream: of episodes where `reset` names no seed.
        penalty: subtracted from the reward for each malformed reply.
        sessions: clients at once, each with an episode of its own.

    Raises:
        UserError: `openenv` is not installed, or such conditions cannot be served.
    """
    try:
        server: Any = import_module("openenv.core.env_server")
    except ImportError:
        raise UserError("openenv", "not installed", "pip install openenv") from None
    conditions = conditions or Conditions()
    if conditions.tools != "none" or conditions.examples:
        raise UserError("conditions", conditions, "serve text replies: no tools, no examples")
    open_scene(world, check_whole("seed", seed), stream, 0, conditions)  # refused now or never

    class Reply(server.Action):
        """What a player says."""

        reply: str

    class Told(server.Observation):
        """What a player is told."""

        said: str
        malformed: str = ""

    def begin(own: Any, index: int) -> Scene:
        given = seed if own is None else check_whole("seed", own)
        scene: Scene = open_scene(world, given, stream, index, conditions)
        return scene

    Episode = _episodes(server, Told, begin, penalty)
    return server.create_fastapi_app(
        Episode, Reply, Told, max_concurrent_envs=sessions, env_name=world.name
    )


def _episodes(server: Any, told: Any, begin: Callable[[Any, int], Scene], penalty: float) -> Any:
    """The class of environments: its scenes come from `begin(seed, index)`."""

    class Episode(server.Environment):
        """An episode at a time; a session of its own for every client."""

        SUPPORTS_CONCURRENT_SESSIONS = True

        def __init__(self) -> None:
            super().__init__()
            self._scene: Scene | None = None
            self._id: str | None = None
            self._resets = 0

        def reset(self, seed: Any = None, episode_id: Any = None, **options: Any) -> Any:
            index = options.get("index")
            number = self._resets if index is None else check_whole("index", index)
            self._scene = begin(seed, number)
            self._id, self._resets = episode_id, self._resets + 1
            said = "\n\n".join(message["content"] for message in self._scene.messages())
            return told(said=said, reward=0.0, done=False)

        def step(self, action: Any, timeout_s: Any = None, **_: Any) -> Any:
            scene = self._scene
            if scene is None or scene.finished:
                return told(said=OVER, reward=0.0, done=scene is not None)
            why = scene.reply(action.reply)
            return told(
                said=OVER if scene.finished else scene.messages()[-1]["content"],
                malformed=why.reason if why else "",
                reward=score(scene, penalty) if scene.finished else 0.0,
                done=scene.finished,
            )

        @property
        def state(self) -> Any:
            scene = self._scene
            counts = (
                {"malformed": len(scene.malformed), "passed": len(scene.passed)} if scene else {}
            )
            step = scene.step if scene else 0
            return server.State(episode_id=self._id, step_count=step, **counts)

    return Episode
