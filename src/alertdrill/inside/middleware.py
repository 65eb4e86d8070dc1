"""The ASGI middleware that a team puts into its own app.

Without a token it loads next to nothing and hands every request on as it is.
"""

import logging
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from alertdrill.asgi import App, Receive, Scope, Send
from alertdrill.core.inside_protocol import SHORTEST_TOKEN, TOKEN_VARIABLE

if TYPE_CHECKING:
    from alertdrill.inside.control import Control

logger = logging.getLogger(__name__)


class DrillFaults:
    """Puts a drill's exchange faults at `place: inside` on the requests of that drill.

    It must stand below what measures the app and above what does the work. A controller that knows the token hands
    over a plan for the length of a lease; only requests that name the plan's run are touched, and none once the lease
    has run out.

    Args:
        app: the ASGI app, or the next middleware.
        token: the secret that the controller must know, at least 16 characters; default: the environment variable
            ALERTDRILL_INSIDE_TOKEN as it is when the app starts. Without one the middleware does nothing.
        clock: seconds that never go back.
    """

    def __init__(self, app: App, token: str | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._control = _control(app, os.environ.get(TOKEN_VARIABLE, "") if token is None else token, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if self._control is None or scope["type"] != "http":
            await self._app(scope, receive, send)
        else:
            await self._control(scope, receive, send)


def _control(app: App, token: str, clock: Callable[[], float]) -> "Control | None":
    if not token:
        return None
    if len(token) < SHORTEST_TOKEN:
        logger.warning(
            "%s: got a token of %d characters, expected %d or more: drills cannot put faults inside this app\n"
            "  fix: give a longer one, such as openssl rand -hex 32 prints",
            TOKEN_VARIABLE,
            len(token),
            SHORTEST_TOKEN,
        )
        return None
    from alertdrill.inside.control import Control  # a second that an app without drills does not pay

    return Control(app, token.encode(), clock)
