"""An OpenEnv server around worlds in words (https://github.com/huggingface/OpenEnv).

A client sends a reply as text and gets what is said next; the reward comes with the last
observation. Trainers find the episodes through OpenEnv's Task API. Needs the package `openenv`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from seedo import __version__
from seedo.errors import UserError, whole
from seedo.language.scenes import Conditions, Scene, open_scene
from seedo.language.serving._environment import STREAM, check_whole, score
from seedo.language.serving._openenv_tasks import TaskApi, Tasks

OVER = "The episode is over: reset."
"""What a client is told who steps on after the end."""


def openenv_app(
    world: Any,
    conditions: Conditions | None = None,
    seed: int = 0,
    stream: str = STREAM,
    penalty: float = 0.1,
    sessions: int = 64,
    tasks: int = 10_000,
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
        tasks: episodes that the Task API names, those from number 0, under the world's split.

    Raises:
        UserError: `openenv` is not installed, or such conditions cannot be served.
    """
    try:
        server: Any = import_module("openenv.core.env_server")
    except ImportError:
        raise UserError("openenv", "not installed", "pip install openenv") from None
    whole("tasks", tasks, 1, 2**31 - 1)
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

    class Standing(server.State):
        """Where an episode stands, as far as its player may know."""

        malformed: int = 0
        passed: int = 0
        finished: bool = False

    def begin(own: Any, index: int) -> Scene:
        given = seed if own is None else check_whole("seed", own)
        scene: Scene = open_scene(world, given, stream, index, conditions)
        return scene

    named = Tasks(world, seed, stream, tasks)
    Episode = _episodes(server, Told, Standing, begin, named, penalty)
    return server.create_fastapi_app(
        Episode,
        Reply,
        Told,
        max_concurrent_envs=sessions,
        env_name=world.name,
        state_cls=Standing,
    )


def _episodes(
    server: Any,
    told: Any,
    standing: Any,
    begin: Callable[[Any, int], Scene],
    named: Tasks,
    penalty: float,
) -> Any:
    """The class of environments: its scenes come from `begin(seed, index)`."""

    class Episode(TaskApi, server.Environment):
        """An episode at a time; a session of its own for every client."""

        SUPPORTS_CONCURRENT_SESSIONS = True
        tasks = named

        def __init__(self) -> None:
            super().__init__()
            self._scene: Scene | None = None
            self._id: str | None = None
            self._resets = 0

        def reset(self, seed: Any = None, episode_id: Any = None, **options: Any) -> Any:
            named.check(options.get("split", named.world.split))
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
            if (scene := self._scene) is None:
                return standing(episode_id=self._id)
            return standing(
                episode_id=self._id,
                step_count=scene.step,
                malformed=len(scene.malformed),
                passed=len(scene.passed),
                finished=scene.finished,
            )

        def get_metadata(self) -> Any:
            about = f"Experiments on hidden systems (world {named.world.name} of Seedo), in words."
            types: Any = import_module("openenv.core.env_server.types")
            return types.EnvironmentMetadata(
                name=named.world.name, description=about, version=__version__
            )

    return Episode
