"""Systems of the user's own: simulators, programs and devices that are called from here."""

from seedo.worlds.external._endpoint import ADAPTERS, Endpoint, open_endpoint
from seedo.worlds.external._reply import EndpointError, NotReached
from seedo.worlds.external._world import ExternalWorld

__all__ = ["ADAPTERS", "Endpoint", "EndpointError", "ExternalWorld", "NotReached", "open_endpoint"]
