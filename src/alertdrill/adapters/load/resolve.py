"""Where an endpoint listens."""

import socket

from alertdrill.adapters.load.endpoint import Endpoint
from alertdrill.adapters.load.wire import Address

PROBE_S = 1.0


def resolve(endpoint: Endpoint) -> Address:
    """The socket address of an endpoint: of several, the first at which somebody listens.

    Raises:
        OSError: the name has no address.
    """
    found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    addresses = [(int(family), where) for family, _, _, _, where in found]
    listening = (address for address in addresses if len(addresses) > 1 and _listens(address))
    return next(listening, addresses[0])


def _listens(address: Address) -> bool:
    family, where = address
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_S)
        return probe.connect_ex(where) == 0
