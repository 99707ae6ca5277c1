"""Systems of the user's own: simulators, programs and devices that are called from here."""

from seedo.worlds.external._endpoint import Endpoint, open_endpoint
from seedo.worlds.external._reply import EndpointError

__all__ = ["Endpoint", "EndpointError", "open_endpoint"]
