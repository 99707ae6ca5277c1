"""Which processes learn together."""

from __future__ import annotations

from dataclasses import dataclass

from seedo.errors import UserError, is_number, whole

AUTO = "auto"
"""In place of a coordinator: who launched the processes (Slurm, Open MPI) says all there is."""
MOST_PROCESSES = 4096
_LONGEST = 86_400.0


@dataclass(frozen=True)
class Group:
    """Processes that learn together, each from a part of every minibatch.

    With no coordinator all of them are started on this machine. With one, this process stands for
    number `process_id` alone, and the others are started elsewhere, each with its own number.

    Attributes:
        processes: how many; None: as the launcher says, with coordinator `auto`.
        coordinator: `HOST:PORT` where process 0 is reached by all; `auto`: see `AUTO`.
        process_id: number of this one, from 0; process 0 writes what is learnt.
        join_within: seconds until all must be there.

    Raises:
        UserError: one of them cannot be, or goes without another.
    """

    processes: int | None = None
    coordinator: str | None = None
    process_id: int | None = None
    join_within: float = 300.0

    def __post_init__(self) -> None:
        if self.processes is not None:
            whole("processes", self.processes, 1, MOST_PROCESSES)
        if not is_number(self.join_within) or not 0 < self.join_within <= _LONGEST:
            raise UserError("join_within", self.join_within, f"give seconds, up to {_LONGEST:.0f}")
        if self.coordinator is None:
            if self.process_id is not None:
                remedy = "needs a coordinator, HOST:PORT of process 0, to join the others there"
                raise UserError("process_id", self.process_id, remedy)
        elif self.coordinator == AUTO:
            for name in ("processes", "process_id"):
                if (value := getattr(self, name)) is not None:
                    remedy = f"leave it out: with coordinator {AUTO} the launcher says it"
                    raise UserError(name, value, remedy)
        else:
            _check_address(self.coordinator)
            for name in ("processes", "process_id"):
                if getattr(self, name) is None:
                    remedy = "how many there are" if name == "processes" else "which one this is"
                    raise UserError(name, None, f"say {remedy}, with coordinator HOST:PORT")
            assert self.processes is not None
            whole("process_id", self.process_id, 0, self.processes - 1)

    @property
    def alone(self) -> bool:
        """Whether there is nobody but this process."""
        return self.coordinator is None and self.processes in (None, 1)

    def check_batch(self, batch_size: int | None, devices: int) -> None:
        """Raises UserError unless a minibatch splits evenly over the devices of all processes."""
        if batch_size is None or self.processes is None:
            return
        parts = self.processes * devices
        each = f" with {devices} devices each" if devices > 1 else ""
        if parts > batch_size:
            remedy = f"a minibatch has {batch_size} episodes{each and ','}{each}: use fewer"
            raise UserError("processes", self.processes, remedy)
        if batch_size % parts:
            near = batch_size // parts * parts
            remedy = (
                f"must divide by {self.processes} processes{each}: use {near} or {near + parts}"
            )
            raise UserError("batch_size", batch_size, remedy)


def _check_address(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or not 1 <= int(port) <= 65_535:
        remedy = f"give HOST:PORT of process 0, e.g. 10.0.0.1:4567, or {AUTO}"
        raise UserError("coordinator", address, remedy)
