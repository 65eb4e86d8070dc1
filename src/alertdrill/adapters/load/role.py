"""What master and worker have in common as processes: a log, and an end that nothing holds up."""

import logging
import os
import sys
from collections.abc import Callable
from typing import NoReturn

import gevent
from locust import User, task
from locust.log import setup_logging

from alertdrill import lifeline
from alertdrill.adapters.load.control import leave_failed, one_line

SEND_S = 0.2

logger = logging.getLogger(__name__)


class LoadFailed(RuntimeError):
    """The load cannot go on; its text is one line that says all there is to say."""


def scheduled_load(send_share: Callable[[], None]) -> type[User]:
    """Locust's user of a load that is shared, one in every worker; its single task runs in the worker only."""

    class ScheduledLoad(User):
        @task
        def send(self) -> None:
            send_share()

    return ScheduledLoad


def let_send() -> None:
    """Give the network time to take what was handed to it: the thread that does so ends with the process."""
    gevent.sleep(SEND_S)


def play(role: Callable[[], None]) -> NoReturn:
    """Run a role to its end, then end this process; a failure becomes a `failed` event of one line and exit code 1."""
    configure: Callable[[str], None] = setup_logging
    configure("INFO")
    try:
        role()
    except LoadFailed as error:
        print(error, file=sys.stderr, flush=True)
        leave_failed(str(error))
    except Exception as error:
        logger.exception("the load failed")
        leave_failed(one_line(error))
    lifeline.flush()
    os._exit(0)  # messages that nobody takes would keep the interpreter from ending
