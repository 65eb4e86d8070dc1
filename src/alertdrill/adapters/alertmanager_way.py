"""How an Alertmanager that was not installed finds its templates, which Debian's looks for below /usr/share.

A user namespace with a bind mount shows them there, to that process alone; where this system forbids such namespaces,
Debian's `proot` does the same by tracing it. Neither needs root.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SHARE = Path("/usr/share")
TEMPLATE = Path("prometheus/alertmanager/default.tmpl")
PROBE_TIMEOUT_S = 15.0

# Mounts are private to the namespace. A directory that does not exist cannot be mounted over: then all of /usr/share
# is covered, but for the zones that time intervals are written in.
_ENTER = """set -e
share=$1; shift
if [ -d /usr/share/prometheus ]; then
  mount --bind "$share/prometheus" /usr/share/prometheus
else
  if [ -d /usr/share/zoneinfo ]; then mount --rbind /usr/share/zoneinfo "$share/zoneinfo"; fi
  mount --rbind "$share" /usr/share
fi
exec "$@"
"""


@dataclass(frozen=True)
class Way:
    """How a program is started.

    Attributes:
        name: in words, as `doctor` says it.
        prefix: stands before the program in its command.
        environ: what is added to its environment.
        deaf: a signal to the process that is started does not reach the program, which dies with it all the same.
    """

    name: str
    prefix: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    deaf: bool = False


DIRECTLY = Way("as it is")


def find_way(share: Path, proot: Path | None) -> Way | None:
    """The first way that works here: as it is, a user namespace, proot; None if none does.

    Args:
        share: what the package has in /usr/share, with an empty directory `zoneinfo`.
        proot: directory of the proot that we unpacked; None if we have none. One on PATH is used before it.
    """
    ways = [*([DIRECTLY] if (SHARE / TEMPLATE).exists() else []), namespace(share), *by_proot(share, proot)]
    return next((way for way in ways if works(way)), None)


def namespace(share: Path) -> Way:
    """A user namespace of its own, entered by util-linux's `unshare`."""
    enter = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _ENTER, "sh", str(share))
    return Way("in a user namespace", enter)


def by_proot(share: Path, proot: Path | None) -> list[Way]:
    """The proot on PATH, and the one that we unpacked, in this order."""
    bind = ("-b", f"{share / 'prometheus'}:{SHARE / 'prometheus'}")
    # A killed proot leaves the program running, unless the program watches over that itself.
    inside = (sys.executable, "-P", "-m", "alertdrill.lifeline", "--exec")
    ways = []
    if found := shutil.which("proot"):
        ways.append(Way("by proot", (found, *bind, *inside), deaf=True))
    if proot is not None and (proot / "proot").exists():
        libraries = {"LD_LIBRARY_PATH": str(proot / "lib")}
        ways.append(Way("by proot", (str(proot / "proot"), *bind, *inside), libraries, deaf=True))
    return ways


def works(way: Way) -> bool:
    """Whether a program that is started so finds the templates."""
    command = [*way.prefix, "test", "-r", str(SHARE / TEMPLATE)]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **way.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PROBE_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
