"""Every world as a Gymnasium environment, alone and natively batched.

`import seedo` registers `seedo/WORLD-v0` for all worlds, those of plug-ins too.
`gymnasium.make("seedo/dag-v0", split=...)` and `gymnasium.make_vec("seedo/dag-v0", num_envs=...)`
take `preset`, `split` and the settings of the world, and

- `reward="expected"` (what counts in returns) or `"sampled"` (the value of the goal that followed);
  in rooms instead `obs="symbolic"` or `"pixels"`;
- `render_mode="ansi"`, in rooms `"rgb_array"`.

Actions are whole numbers: `target * V + value_index` of the world's variables and V `do_values`,
and the last one, n * V, only observes; in rooms 0 to 10, see `worlds.rooms.ACTIONS`. What the world
does not allow at a step only observes. After `reset(seed=s)` the episodes are those of
`episode_key(s, "gym", 0)`, 1, 2, ..., as everybody plays them; environment i of a batch is seeded
with s + i. In worlds whose knobs are set all at once (`gymnasium.make("seedo/recorded-v0",
path="runs.csv")`, `"seedo/external-v0"` with `target`) an action is a setting, see
`SettingEnvironment`. At the end `info` holds `return`, `oracle_return` and `random_return`.
"""

from __future__ import annotations

from typing import Any

import gymnasium
from gymnasium.vector import SyncVectorEnv

from seedo import worlds
from seedo.errors import UserError
from seedo.play.gym._env import Batch, Environment
from seedo.play.gym._settings import SettingEnvironment
from seedo.play.gym._views import View
from seedo.plugins import resolve

_VIEWS = {"rooms": "seedo.play.gym._rooms:RoomsView"}
"""Of worlds, by family, that have actions and spaces of their own."""


def environment(
    world: str, render_mode: str | None = None, **options: Any
) -> Environment | SettingEnvironment:
    """One experimenter in a world, see this module.

    Raises:
        UserError: an option that cannot be used.
    """
    made, own = _made(world, options)
    return _environment(made, own, render_mode)


def environments(
    world: str, num_envs: int = 1, render_mode: str | None = None, **options: Any
) -> gymnasium.vector.VectorEnv:
    """Many experimenters in a world, see this module: one compiled call a step; a world in plain
    Python is stepped one after the other.

    Raises:
        UserError: an option that cannot be used.
    """
    if not isinstance(num_envs, int) or isinstance(num_envs, bool) or num_envs < 1:
        raise UserError("num_envs", num_envs, "use a whole number from 1")
    made, own = _made(world, options)
    if made.host or made.spec.space is not None:
        return SyncVectorEnv([lambda: _environment(made, own, render_mode)] * num_envs)
    return Batch(_view(made, own), num_envs, render_mode)


def _environment(
    world: worlds.World, own: dict[str, Any], render_mode: str | None
) -> Environment | SettingEnvironment:
    if world.spec.space is not None:
        return SettingEnvironment(world, render_mode=render_mode, **own)
    return Environment(_view(world, own), render_mode)


def _made(name: str, options: dict[str, Any]) -> tuple[worlds.World, dict[str, Any]]:
    """A world with these options, and those that are its environment's."""
    kind = worlds.find(name)
    fields = ("reward",) if issubclass(kind, worlds.Bench) else _view_of(kind.family).options
    own = {field: options.pop(field) for field in fields if field in options}
    settings: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in options.items()
    }
    return worlds.make(name, **settings), own


def _view_of(family: str) -> Any:
    return resolve(_VIEWS.get(family, "seedo.play.gym._views:CommonView"), "world")


def _view(world: worlds.World, own: dict[str, Any]) -> View:
    """A world seen as its family is."""
    found: View = _view_of(world.family)(world, **own)
    return found


__all__ = ["Batch", "Environment", "SettingEnvironment", "environment", "environments"]
