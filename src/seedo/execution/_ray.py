"""Workers of a Ray cluster (extra `ray`)."""

from __future__ import annotations

import contextlib
import logging
import socket
from concurrent.futures import Future
from typing import Any

from seedo.errors import UserError, in_one_line
from seedo.execution._task import carry_out
from seedo.execution._workers import LostWorker

_FIELD = "--executor"
_PATIENCE = 5.0  # seconds in which a cluster's port must answer


class RayWorkers:
    """Tasks of a Ray cluster, one a core.

    A cluster that this process joins is left as it is; one that it starts ends with it. What Ray
    sends is its own affair: tasks and answers are text.

    Args:
        address: as of `ray.init`; "": what `RAY_ADDRESS` names, or a cluster of this machine.

    Raises:
        UserError: Ray is not installed, nobody answers there, or the cluster cannot be joined.
    """

    def __init__(self, address: str) -> None:
        _check_answers(address)  # Ray itself would try for minutes
        try:
            import ray
        except ImportError as error:
            remedy = 'needs Ray: pip install "seedo[ray]"'
            raise UserError(_FIELD, f"ray:{address}" if address else "ray", remedy) from error
        self._ray, self._joined = ray, not ray.is_initialized()
        if self._joined:
            self._join(address)
        run: Any = ray.remote(carry_out)
        self._run = run.options(num_cpus=1, max_retries=0)  # whoever asks hands it out again
        self._flying: set[Any] = set()

    def _join(self, address: str) -> None:
        named = f"ray:{address}" if address else "ray"
        try:
            self._ray.init(
                address=address or None, include_dashboard=False, log_to_driver=False,
                logging_level=logging.ERROR, configure_logging=False,
            )  # fmt: skip
        except Exception as error:  # ConnectionError, RuntimeError, ValueError: by address
            remedy = f"no cluster to be joined ({in_one_line(error, 120)}): see `ray status` there"
            raise UserError(_FIELD, named, remedy) from error

    @property
    def count(self) -> int:
        """Cores of the cluster; nodes may come and go."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def submit(self, text: str) -> Future[str]:
        answer: Future[str] = Future()
        coming = self._run.remote(text)
        self._flying.add(coming)

        def arrived(done: Future[str]) -> None:
            self._flying.discard(coming)
            self._hand_on(done, answer)

        coming.future().add_done_callback(arrived)
        return answer

    def _hand_on(self, done: Future[str], answer: Future[str]) -> None:
        """Ray's answer as ours: a worker or node that died is `LostWorker`."""
        errors = self._ray.exceptions
        try:
            answer.set_result(done.result())
        except errors.RuntimeEnvSetupError as error:
            answer.set_exception(_cannot(error))
        except (
            errors.WorkerCrashedError,
            errors.OutOfMemoryError,
            errors.NodeDiedError,
            errors.LocalRayletDiedError,
            errors.ObjectLostError,
        ) as error:
            answer.set_exception(LostWorker(in_one_line(error, 120)))
        except BaseException as error:  # a task never raises for what it is: it did not begin
            answer.set_exception(_cannot(error))

    def close(self, now: bool = False) -> None:
        for coming in list(self._flying) if now else ():
            with contextlib.suppress(Exception):  # it may have arrived by now
                self._ray.cancel(coming, force=True)
        if self._joined:
            self._ray.shutdown()


def _check_answers(address: str) -> None:
    """Raises UserError where an address has a host and a port and nobody answers there."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()
    except (OSError, ValueError, OverflowError) as error:
        remedy = f"no cluster to be joined: {host} does not answer at {port} ({in_one_line(error)})"
        raise UserError(_FIELD, f"ray:{address}", remedy) from error


def _cannot(error: BaseException) -> UserError:
    remedy = f"a worker cannot do it ({in_one_line(error, 160)}): install the same Seedo there"
    return UserError(_FIELD, "ray", remedy)
