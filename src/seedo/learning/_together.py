"""What processes that learn together say to one another; and one process, which says nothing.

Process 0 reads and writes the agent's folder and has the last word; what it reads or decides is
told to all, so that all take the same steps. Every word is a collective operation of JAX: all
processes must come to it, in the same order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from seedo import __version__
from seedo.errors import UserError

_CHUNK = 2**30


class Alone:
    """One process.

    Attributes:
        first: it reads and writes what there is one of.
    """

    first = True

    def compare(self, job: dict[str, Any]) -> None:
        """Raises UserError unless all processes were started with this job and these versions."""

    def holding(self, claim: AbstractContextManager[bool]) -> AbstractContextManager[bool]:
        """The claim to the folder that the first process holds, or its refusal, for all."""
        return claim

    def told(self, files: dict[str, bytes] | None) -> dict[str, bytes] | None:
        """What the first process has."""
        return files

    def agreed(self, number: float) -> float:
        """The first one's number."""
        return number

    def devices(self, each: int) -> list[Any]:
        """So many devices of every process.

        Raises:
            UserError: this process has not got them.
        """
        return _own_devices(each)


ALONE = Alone()


class Joined(Alone):
    """One of several processes, after `jax.distributed.initialize`."""

    def __init__(self) -> None:
        self.number, self.count = jax.process_index(), jax.process_count()
        self.first = self.number == 0

    def compare(self, job: dict[str, Any]) -> None:
        own = job | {"version": __version__, "version of JAX": jax.__version__}
        text = np.frombuffer(json.dumps(own).encode(), np.uint8)
        sizes = multihost_utils.process_allgather(np.array([len(text)], np.int32)).reshape(-1)
        padded = np.zeros(int(sizes.max()), np.uint8)
        padded[: len(text)] = text
        texts = np.asarray(multihost_utils.process_allgather(padded)).reshape(self.count, -1)
        jobs = [
            json.loads(row[:size].tobytes()) for row, size in zip(texts, sizes, strict=True)
        ]  # fmt: skip
        for number, other in enumerate(jobs):
            for field in sorted(set(other) | set(jobs[0])):
                if other.get(field) != jobs[0].get(field):
                    remedy = f"process 0 has {jobs[0].get(field)!r}: start all of them alike"
                    raise UserError(f"{field} of process {number}", other.get(field), remedy)

    @contextmanager
    def holding(self, claim: AbstractContextManager[bool]) -> Iterator[bool]:
        if not self.first:
            answer = self._said(b"")
            if answer not in (b"yes", b"no"):
                raise UserError(*_parted(answer.decode()))
            yield answer == b"yes"
        else:
            with ExitStack() as held:
                try:
                    open_ = held.enter_context(claim)
                except UserError as error:
                    self._said(str(error).encode())
                    raise
                self._said(b"yes" if open_ else b"no")
                yield open_
        self._said(b"")  # nobody leaves before all is written

    def told(self, files: dict[str, bytes] | None) -> dict[str, bytes] | None:
        names = json.loads(self._said(json.dumps(list(files or {})).encode()))
        return {name: self._said((files or {}).get(name, b"")) for name in names} or None

    def agreed(self, number: float) -> float:
        return float(multihost_utils.broadcast_one_to_all(np.float32(number)))

    def devices(self, each: int) -> list[Any]:
        _own_devices(each)
        return [
            device
            for number in range(self.count)
            for device in [d for d in jax.devices() if d.process_index == number][:each]
        ]

    def _said(self, data: bytes) -> bytes:
        """What the first process says."""
        size = np.array(divmod(len(data), _CHUNK), np.int32)
        high, low = np.asarray(multihost_utils.broadcast_one_to_all(size)).tolist()
        length = high * _CHUNK + low
        if not length:
            return b""
        own = np.frombuffer(data, np.uint8) if self.first else np.zeros(length, np.uint8)
        return np.asarray(multihost_utils.broadcast_one_to_all(own)).tobytes()


def _own_devices(count: int) -> list[Any]:
    available = jax.local_devices()
    if count > len(available):
        raise UserError("devices", count, f"this machine offers 1 to {len(available)}")
    return available[:count]


def _parted(said: str) -> tuple[str, None, str]:
    """The parts of a user error's line, which give the same line."""
    field, _, remedy = said.partition(": ")
    return field, None, remedy


def spread_over(devices: list[Any]) -> Mesh | None:
    """A mesh whose only axis are the episodes of a minibatch; None where there is nothing to
    split."""
    return Mesh(np.array(devices), ("episodes",)) if len(devices) > 1 else None


def on_all(tree: Any, mesh: Mesh | None) -> Any:
    """A pytree with every array on every device."""
    if mesh is None:
        return tree
    arrays, rest = eqx.partition(tree, eqx.is_array)
    return eqx.combine(_placed(arrays, NamedSharding(mesh, PartitionSpec())), rest)


def split(lesson: Any, mesh: Mesh | None) -> Any:
    """A lesson with its episodes dealt out, in their order: a process keeps those of its own
    devices."""
    if mesh is None:
        return lesson
    whole, parts = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in ((), mesh.axis_names))
    placed = lesson.each_column(lambda column: _placed(column, parts))
    return placed._replace(steps=_placed(lesson.steps, whole))


def here(tree: Any) -> Any:
    """A pytree that lies on all devices, as this process has it."""
    return jax.tree.map(lambda x: x.addressable_data(0) if isinstance(x, jax.Array) else x, tree)


def _placed(tree: Any, where: NamedSharding) -> Any:
    if where.is_fully_addressable:
        return jax.device_put(tree, where)

    def put(column: Any) -> Any:
        whole = np.asarray(column)
        return jax.make_array_from_callback(whole.shape, where, lambda part: whole[part])

    return jax.tree.map(put, tree)
