"""The secret that alertdrill shares with an app which wears `alertdrill.inside.DrillFaults`."""

import os
import secrets
from collections.abc import Mapping

from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.faults.base import Place
from alertdrill.core.inside_protocol import SHORTEST_TOKEN, TOKEN_VARIABLE
from alertdrill.core.scenario import Scenario, UrlTarget


def inside_token(scenario: Scenario, environ: Mapping[str, str] = os.environ) -> str | None:
    """The token for a drill: a new one for a model that we start, the user's own otherwise; None if no fault is inside.

    Raises:
        BadInput: the environment has none that can be used, for a target that already runs.
    """
    if not _has_inside_faults(scenario):
        return None
    if not isinstance(scenario.target, UrlTarget):
        return secrets.token_hex(32)
    token = environ.get(TOKEN_VARIABLE, "")
    if len(token) >= SHORTEST_TOKEN and token.isascii() and token.isprintable():
        return token
    got = f"{len(token)} characters" if token else "nothing, though the scenario has faults at place: inside"
    expected = f"{SHORTEST_TOKEN} or more printable ASCII characters, those that the app at target.url was started with"
    fix = f"export {TOKEN_VARIABLE}=$(openssl rand -hex 32), and start the app and alertdrill with it"
    raise BadInput([Mistake(f"environment variable {TOKEN_VARIABLE}", got, expected, fix)])


def _has_inside_faults(scenario: Scenario) -> bool:
    return any(getattr(fault, "place", None) is Place.INSIDE for phase in scenario.phases for fault in phase.faults)
