"""Whom the alerts of a drill reach: which Alertmanager routes them, and what the drill does to people."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from alertdrill.core.errors import BadValue
from alertdrill.core.scenario.connection import Connection, no_mapping
from alertdrill.core.scenario.part import Labels, Part, Text
from alertdrill.core.scenario.target import Url


class UserAlertmanager(Connection):
    """An Alertmanager of the user's own: read, and never changed but for silences of the drill."""

    url: Url = Field(
        description="address of a running Alertmanager, with its path prefix", examples=["http://127.0.0.1:9093"]
    )


class ManagedAlertmanager(Part):
    """An Alertmanager that is started for the drill, with the team's own configuration."""

    config: Text = Field(
        description="configuration file: routes, grouping, inhibition and time intervals are kept, every receiver "
        "delivers to alertdrill instead of to people",
        examples=["alertmanager.yml"],
    )


def _check_alertmanager(value: object) -> object:
    if value in ("none", "managed") or isinstance(value, UserAlertmanager | ManagedAlertmanager):
        return value
    if isinstance(value, dict) and not {"url", "config"} <= set(value):
        return value
    if isinstance(value, dict):
        raise BadValue(
            "a url or a config, not both", "keep url for your own, config for a managed one", "url and config"
        )
    expected = "none, managed, {config: FILE} or {url: …} of your own Alertmanager"
    if isinstance(value, str) and value.endswith((".yml", ".yaml")) and "://" not in value:
        raise BadValue(expected, f"write {{config: {value}}}")
    raise no_mapping(value, expected)


def _which_alertmanager(value: Any) -> str:
    if isinstance(value, str):
        return "(none, managed)"
    own = isinstance(value, UserAlertmanager) or (isinstance(value, dict) and "config" not in value)
    return "(own)" if own else "(with a configuration)"


Alertmanager = Annotated[
    Annotated[Literal["none", "managed"], Tag("(none, managed)")]
    | Annotated[ManagedAlertmanager, Tag("(with a configuration)")]
    | Annotated[UserAlertmanager, Tag("(own)")],
    Discriminator(_which_alertmanager),
    BeforeValidator(_check_alertmanager),
]
"""`none` (alert posts are received by alertdrill alone), one started for the drill, or the user's own."""


class Rerouted(Part):
    """A receiver of the team's that disturbs nobody, and the labels by which alerts get there."""

    receiver: Text = Field(description="the only receiver that alerts of the drill reach", examples=["drills"])
    labels: Labels = Field(
        default_factory=dict,
        description="labels that lead there: a managed Prometheus adds them to every alert that it posts; those of "
        "your own must have them already",
        examples=[{"environment": "drill"}],
    )


class Reroute(Part):
    """Alerts of the drill go to a receiver of their own."""

    rerouted: Rerouted = Field(description="where they go", examples=["{receiver: drills}"])


def _check_notify(value: object) -> object:
    if value in ("silenced", "live") or isinstance(value, dict | Reroute):
        return value
    if value == "rerouted":
        expected = "the receiver that alerts of the drill go to, as only you know it"
        raise BadValue(
            expected, "write {rerouted: {receiver: NAME, labels: {…}}}, and a route to it in alertmanager.yml"
        )
    raise BadValue("silenced, live, or {rerouted: {receiver: …}}", "write silenced")


def _which_notify(value: Any) -> str:
    return "(silenced, live)" if isinstance(value, str) else "(rerouted)"


Notify = Annotated[
    Annotated[Literal["silenced", "live"], Tag("(silenced, live)")] | Annotated[Reroute, Tag("(rerouted)")],
    Discriminator(_which_notify),
    BeforeValidator(_check_notify),
]
"""What a drill does to the people whom the user's own Alertmanager notifies."""

Level = Literal["posted", "accepted", "delivered"]
"""How far a notification was seen to come: sent by Prometheus, taken by Alertmanager, got by a receiver."""
