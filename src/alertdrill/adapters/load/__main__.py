"""Locust with our load: `python -m alertdrill.lifeline -m alertdrill.adapters.load [ROLE | --headless …]`.

`master` and `worker` are the two roles of a load that several processes share (Locust's own master and workers, on its
messages), `users` runs those of a team's own locustfile; anything else are arguments for Locust's command line, which
runs our locustfile in this one process.

The lifeline's threads run before this does. gevent mends the import locks that are held while it patches only where
no second thread exists, so `-m locust`, which patches inside its own import, would wait for itself for ever. Here
gevent patches first, while no import is under way; therefore the other imports stand inside functions.
"""

import os
import sys
from collections.abc import Callable
from importlib import import_module, metadata
from pathlib import Path

from gevent import monkey

FOLDER = Path(__file__).resolve().parent / "alone"  # Locust puts it first on sys.path: it has no other file
ROLES = {"master": "master", "worker": "worker", "users": "own_users"}


def leave_user_settings() -> None:
    """Keep LOCUST_* variables of the user's own tests out of the drill."""
    for name in [name for name in os.environ if name.startswith("LOCUST_")]:
        del os.environ[name]


def leave_user_files() -> None:
    """Keep a locust.conf and a pyproject.toml of the user's own tests out of the drill."""
    os.environ["HOME"] = str(FOLDER)
    os.chdir(FOLDER)


def patch_all() -> None:
    """What `monkey.patch_all` does, in a third of its time.

    It asks 25 times for plugins of gevent, and each time all that is installed is read anew: here it is read once.
    """
    ask, installed = metadata.entry_points, metadata.entry_points()
    metadata.entry_points = installed.select
    try:
        monkey.patch_all()
    finally:
        metadata.entry_points = ask


def main() -> None:
    """Run Locust until the controller, or the master, ends the load."""
    patch_all()
    leave_user_settings()
    role = sys.argv[1]
    if role != "users":
        leave_user_files()
    if role in ROLES:
        play: Callable[[], None] = import_module(f"alertdrill.adapters.load.{ROLES[role]}").main
        play()
        return
    sys.argv = ["locust", "-f", str(FOLDER / "locustfile.py"), *sys.argv[1:]]
    from locust.main import main as locust_main

    run: Callable[[], None] = locust_main
    run()


if __name__ == "__main__":
    main()
