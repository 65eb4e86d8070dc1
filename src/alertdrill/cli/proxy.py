"""`alertdrill proxy`: the fault proxy alone, between a gateway and a model."""

from pathlib import Path

from rich.console import Console

from alertdrill.adapters.stand_alone_proxy.process import ProxyOptions, run_proxy
from alertdrill.compose.options import refuse
from alertdrill.core.errors import BadValue, Mistake
from alertdrill.core.inside_protocol import LONGEST_LEASE_S, SHORTEST_LEASE_S
from alertdrill.core.units import parse_duration
from alertdrill.tls import TlsSettings

EXAMPLE = "HOST:PORT, such as 127.0.0.1:8080, or [::1]:8080"


def stand(
    console: Console,
    listen: str,
    upstream: str,
    control: str,
    token_env: str,
    lease: str,
    journal: Path,
    allow_hosts: list[str],
    ca: Path | None,
) -> int:
    """Stand until SIGTERM or SIGINT; 0.

    Raises:
        BadInput: an option cannot be used.
    """
    mistakes: list[Mistake] = []
    addresses = [_address(option, text, mistakes) for option, text in (("--listen", listen), ("--control", control))]
    lease_s = _lease_s(lease, mistakes)
    refuse(mistakes)
    options = ProxyOptions(
        listen=addresses[0],
        upstream=upstream,
        control=addresses[1],
        token_env=token_env,
        lease_s=lease_s,
        journal=journal,
        allow_hosts=tuple(allow_hosts),
        tls=TlsSettings(ca=ca),
    )
    run_proxy(options, lambda text: console.print(text, soft_wrap=True, highlight=False))
    return 0


def _address(option: str, text: str, mistakes: list[Mistake]) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not colon or not bare or (":" in bare) != host.startswith("[") or not port.isdecimal() or int(port) > 65535:
        mistakes.append(Mistake(option, repr(text), EXAMPLE, "write the address of this machine to listen at"))
        return "", 0
    return bare, int(port)


def _lease_s(text: str, mistakes: list[Mistake]) -> float:
    expected = f"from {SHORTEST_LEASE_S:g}s to {LONGEST_LEASE_S:g}s"
    try:
        lease_s = parse_duration(text)
    except BadValue as error:
        mistakes.append(Mistake("--lease", repr(text), error.expected, error.fix))
        return 0.0
    if not SHORTEST_LEASE_S <= lease_s <= LONGEST_LEASE_S:
        mistakes.append(Mistake("--lease", text, expected, "write 5s, as limits.lease of a scenario has it"))
    return lease_s
