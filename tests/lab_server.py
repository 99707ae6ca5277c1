"""A lab that answers on a free port of this machine, for tests."""

import threading
import time
from contextlib import contextmanager

import uvicorn

from seedo.lab import LabSettings, create_app


@contextmanager
def running(folder, **settings):
    """Yields the address, without a slash at the end."""
    app = create_app(LabSettings(data=folder, warm=False, **settings))
    config = uvicorn.Config(app, port=0, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the lab did not start"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)
