"""The role `users`: Locust with the users of a team's own locustfile, in step with the plan."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
import locust
from gevent.hub import get_hub
from locust import User
from locust.env import Environment
from locust.runners import LocalRunner

from alertdrill import guard, lifeline
from alertdrill.adapters.load.control import emit, make_ready
from alertdrill.adapters.load.launch import own_arguments
from alertdrill.adapters.load.merge import Merge
from alertdrill.adapters.load.paced import PacedRun
from alertdrill.adapters.load.role import LoadFailed, play
from alertdrill.adapters.load.sessions import Pacer
from alertdrill.adapters.load.task import Task
from alertdrill.adapters.load.users_file import Unusable, import_users, options, told

STOP_S = 2.0  # on_stop of all users, and whoever listens to test_stop
GRACE_S = 0.5
TURN_S = 0.1
START_S = 30.0  # what listens to test_start may read its data for as long as the file may take to be imported
SPAWN_PER_S = 100
SHOWN_CALLS = 3


class OwnUsers:
    """The users of a locustfile, and what there is to say of them when they send nothing."""

    def __init__(self, file: Path, users: int, host: str, path: str) -> None:
        """Import the file; no user runs yet.

        Args:
            file: the locustfile.
            users: how many there are.
            host: address of the first server on the wire, in place of the host of the users' classes.
            path: of the endpoint.

        Raises:
            Unusable: the file cannot be run.
        """
        self._file, self._users, self._path = file, users, path
        classes = import_users(file)
        parsed = options(file, users, host)
        self._environment = Environment(user_classes=classes, events=locust.events, host=host, parsed_options=parsed)
        self._runner: LocalRunner = self._environment.create_local_runner()
        self._last_error = ""
        events: Any = self._environment.events
        events.user_error.add_listener(self._note)
        try:
            events.init.fire(environment=self._environment, runner=self._runner, web_ui=None)
        except SystemExit as error:
            fix = "let what it adds to Locust's init event not end the process"
            raise Unusable(told(error, file), "a locustfile whose users can be started", fix) from error

    def start(self) -> None:
        """Start the users, some a second."""
        self._runner.start(self._users, spawn_rate=min(self._users, SPAWN_PER_S))

    def stop(self) -> None:
        """Stop the users and tell those who listen; what they do at the end must not take long, and ends nothing."""
        events: Any = self._environment.events
        with suppress(SystemExit), gevent.Timeout(STOP_S, False):
            events.quitting.fire(environment=self._environment, reverse=True)
            self._runner.quit()
            events.quit.fire(exit_code=0)

    def leave_to_original(self) -> None:
        """In a copy of this process: end the copies of all users, who wait for the same answers, but who made it."""
        for user in set(self._runner.user_greenlets) - {gevent.getcurrent()}:
            user.kill(block=False)

    def failed(self, error: BaseException) -> str:
        """Take note of an error that ended one of the file's greenlets; what there is to say of it."""
        self._last_error = told(error, self._file)
        return self._last_error

    def why_silent(self, for_s: float) -> str:
        """What the users did in place of sending requests."""
        calls = sorted(self._environment.stats.entries.items(), key=lambda item: -item[1].num_requests)
        made = ", ".join(f"{entry.num_requests} {method} {name}" for (name, method), entry in calls[:SHOWN_CALLS])
        error = f"; last error: {self._last_error}" if self._last_error else ""
        return (
            f"no user of {self._file.name} called POST {self._path} of its host for {for_s:g} s while requests were "
            f"due: {self._runner.user_count} of {self._users} users run, their calls so far: {made or 'none'}{error}"
        )

    def _note(self, user_instance: User, exception: BaseException, **_: object) -> None:
        self.failed(exception)


def main() -> None:
    """Run the plan that `ALERTDRILL_LOAD` names with the users of its locustfile."""
    play(_run)


def _run() -> None:
    arguments = own_arguments()
    task = Task.read(arguments)
    assert arguments.locustfile is not None, "this role is that of a locustfile"
    try:
        path = task.plan.target.schema_.path
        users = OwnUsers(arguments.locustfile, arguments.users, arguments.url, path)
    except Unusable as error:
        lifeline.emit({"event": "unusable", "got": error.got, "expected": error.expected, "fix": error.fix})
        raise LoadFailed(f"{error.got}; {error.fix}") from error
    lifeline.emit({"event": "imported"})
    merge = Merge(1, emit)
    load = PacedRun(task, lambda event: merge.take(0, event), lambda: users.why_silent(arguments.silent_s))
    Pacer(load, task).install()
    loop = get_hub().loop
    lifeline.on_command(lambda command: loop.run_callback_threadsafe(load.handle, command))
    make_ready(load, users.failed)
    _be_watched(load, arguments.locustfile, arguments.silent_s)
    for one in (users, load):
        os.register_at_fork(after_in_child=one.leave_to_original)
    why: str | None = None
    try:
        users.start()
        load.run()
        merge.take(0, {"event": "ended"})
    except RuntimeError as error:
        why = str(error)
    except SystemExit as error:
        why = f"{users.failed(error)}: the code of a user ended the load; let it raise StopUser"
    guard.end_within(STOP_S + GRACE_S, why)
    users.stop()
    if why is not None:
        raise LoadFailed(why)


def _be_watched(load: PacedRun, file: Path, silent_s: float) -> None:
    """Tell the guard as long as the hub turns: users that give no turn to others must not hold up the end."""

    def turn() -> None:
        guard.turn(silent_s if load.has_begun else START_S)

    guard.watched(file)
    turn()
    timer = get_hub().loop.timer(TURN_S, TURN_S)
    timer.start(turn)
