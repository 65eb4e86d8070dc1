"""Ports of this machine on which nobody listens."""

import random
import socket

LOWEST, HIGHEST = 10_000, 32_767  # above are those that the system gives to connections going out
MOST_TRIES = 200


def free_ports(count: int) -> list[int]:
    """Different ports of 127.0.0.1 that can be listened at; somebody else may take one before it is used.

    Raises:
        OSError: there are none.
    """
    found: list[int] = []
    for _ in range(MOST_TRIES):
        if len(found) == count:
            return found
        port = random.SystemRandom().randint(LOWEST, HIGHEST)
        if port not in found and _is_free(port):
            found.append(port)
    raise OSError(f"no free port of 127.0.0.1 found in {MOST_TRIES} tries")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
