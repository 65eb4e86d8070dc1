"""How many processes send the load of a drill, and where they are."""

import errno
import os
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from alertdrill.adapters.load.launch import Address
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.faults.base import ExchangeFault, Place
from alertdrill.core.scenario import Scenario, UrlTarget, locustfile
from alertdrill.core.scenario.target import is_loopback

MOST_WORKERS = 64
EXAMPLE = "HOST:PORT, such as 127.0.0.1:5557"


@dataclass(frozen=True)
class Crew:
    """The processes that send the load of a drill.

    Attributes:
        workers: how many share the load.
        listen: where those join that are started elsewhere; None: they are started here.
    """

    workers: int = 1
    listen: Address | None = None

    @classmethod
    def of(cls, scenario: Scenario, workers: int, distributed: str | None) -> "Crew":
        """The crew that the command line asks for.

        Raises:
            BadInput: there cannot be such a crew, or not for this scenario.
        """
        mistakes = []
        if not 1 <= workers <= MOST_WORKERS:
            fix = "write --workers 2, or leave it out"
            mistakes.append(Mistake("--workers", str(workers), f"1 to {MOST_WORKERS}", fix))
        if locustfile(scenario.load) is not None and (workers != 1 or distributed is not None):
            option = "--workers" if distributed is None else "--distributed"
            fix = f"leave {option} out: the users of a locustfile share one process"
            mistakes.append(Mistake(option, "load.locustfile beside it", "a load without a locustfile", fix))
        listen: Address | None = None
        if distributed is not None:
            try:
                listen = address("--distributed", distributed)
                _check_reachable(scenario, listen)
                _check_certificates(scenario, listen)
                _check_secrets(scenario, listen)
            except BadInput as error:
                mistakes += error.mistakes
        if mistakes:
            raise BadInput(mistakes)
        return cls(workers, listen)

    def starts(self) -> tuple[str, ...]:
        """The processes of the load, as the blast radius names them."""
        if self.listen is not None:
            return (f"load master at {self.listen}, for {self.workers} workers from elsewhere",)
        if self.workers == 1:
            return ("load",)
        return ("load master", *(f"load worker {number}" for number in range(1, self.workers + 1)))

    def check_free(self) -> None:
        """See whether the address can be listened at, before anything is started.

        Raises:
            BadInput: it cannot.
        """
        if self.listen is None:
            return
        family, kind = socket.AF_INET, socket.SOCK_STREAM
        try:
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((self.listen.host, self.listen.port))
        except OSError as error:
            got = f"{self.listen}: {_why(error)}"
            fix = "choose another port, or an address that this machine has (0.0.0.0: all of them)"
            raise BadInput([Mistake("--distributed", got, "an address that is free on this machine", fix)]) from error


ALONE = Crew()
"""One process, here."""


def address(option: str, text: str) -> Address:
    """HOST:PORT as an address.

    Args:
        option: what the user calls it.
        text: what the user wrote.

    Raises:
        BadInput: it is none.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not host or ":" in host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise BadInput([Mistake(option, repr(text), EXAMPLE, "write a host name or IPv4 address, a colon, a port")])
    return Address(host=host, port=int(port))


def _check_reachable(scenario: Scenario, listen: Address) -> None:
    """Workers on other machines need a first server on the wire that is not ours: ours listen on loopback only."""
    here = None if is_loopback(listen.host) else _first_server_here(scenario)
    if here is not None:
        expected = f"a drill whose requests do not go to {here} first: it listens on 127.0.0.1 only"
        fix = (
            "drill a target.url that the workers reach, with monitoring.monitor: none and no exchange faults but "
            "place: inside; or start the workers on this machine with --distributed 127.0.0.1:PORT"
        )
        raise BadInput([Mistake("--distributed", f"{listen}, for workers on other machines", expected, fix)])


def _check_certificates(scenario: Scenario, listen: Address) -> None:
    """Certificates and keys stay on the machine where they are: the messages to workers are not encrypted."""
    tls = scenario.target.tls if isinstance(scenario.target, UrlTarget) else None
    if is_loopback(listen.host) or tls is None:
        return
    files = [name for name in ("ca", "cert", "key") if getattr(tls, name) is not None]
    if files:
        got = f"{listen}, and a target with tls: {', '.join(files)}"
        expected = "a target that workers on other machines can speak to with what they have"
        fix = (
            "have those machines trust the authority and leave target.tls.ca out; for a client certificate, send the "
            "load from this machine with --workers"
        )
        raise BadInput([Mistake("--distributed", got, expected, fix)])


def _check_secrets(scenario: Scenario, listen: Address) -> None:
    """Secrets stay on this machine too."""
    headers = scenario.target.headers if isinstance(scenario.target, UrlTarget) else {}
    names = [name for name, value in headers.items() if not isinstance(value, str)]
    if names and not is_loopback(listen.host):
        got = f"{listen}, and a target with secrets in headers: {', '.join(names)}"
        expected = "a target that takes requests without them, as the messages to workers are not encrypted"
        raise BadInput([Mistake("--distributed", got, expected, "send the load from this machine with --workers")])


def _first_server_here(scenario: Scenario) -> str | None:
    """What of this machine the load goes to; None if it goes to a target elsewhere."""
    faults = [fault for phase in scenario.phases for fault in phase.faults]
    elsewhere = {Place.INSIDE, *(scenario.target.proxies if isinstance(scenario.target, UrlTarget) else ())}
    if any(isinstance(fault, ExchangeFault) and fault.place not in elsewhere for fault in faults):
        return "a fault proxy"
    if scenario.monitoring.monitor == "sidecar":
        return "the monitor"
    if not isinstance(scenario.target, UrlTarget):
        return "a model that alertdrill starts"
    host = urlsplit(scenario.target.url).hostname or ""
    return host if is_loopback(host) else None


def _why(error: OSError) -> str:
    return "the port is taken" if error.errno == errno.EADDRINUSE else error.strerror or os.strerror(error.errno or 0)
