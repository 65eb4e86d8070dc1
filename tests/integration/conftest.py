"""What several files of integration tests need."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from alertdrill.adapters.load.wire import Address

Talk = Callable[[socket.socket], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Talk], Address]]:
    """Accept one connection in a real thread and hand it to a function."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(5.0)
    threads: list[threading.Thread] = []

    def start(talk: Talk) -> Address:
        def accept() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.settimeout(5.0)
                talk(peer)

        threads.append(threading.Thread(target=accept))
        threads[0].start()
        return int(socket.AF_INET), listener.getsockname()

    yield start
    for thread in threads:
        thread.join(10.0)
    listener.close()
