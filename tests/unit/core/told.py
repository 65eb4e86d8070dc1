"""An alert that fired in a drill, and what an Alertmanager made of it, for tests to disturb."""

from typing import Any

from drill import BASELINE, Drill, expect, nulls_phase

from alertdrill.core import journal as records
from alertdrill.core.routing import Route, Routing, parse_matchers

MANAGED: dict[str, Any] = {"monitoring": {"alertmanager": "managed"}}
OWN: dict[str, Any] = {"monitoring": {"alertmanager": {"url": "http://127.0.0.1:9093"}}}
LABELS = {"alertname": "NullsHigh", "severity": "P1", "feature": "amount"}
OTHER = {"alertname": "Outage", "severity": "P0"}
MAIL = Route(receiver="mail", matchers=parse_matchers("severity=P2"), group_wait_s=2.0)
ROUTING = Routing(
    route=Route(receiver="pager", group_wait_s=2.0, routes=(MAIL,)),
    receivers={"pager": ("webhook",), "mail": ("email",), "void": ()},
)


class Told:
    """A drill whose alert fired 3.2 s to 4.2 s after its fault, and what an Alertmanager made of it."""

    def __init__(self, setup: dict[str, Any], within: str = "8s", receiver: str | None = "pager", **more: Any) -> None:
        notifies = {"within": within} | ({} if receiver is None else {"receiver": receiver})
        self.drill = Drill(BASELINE, nulls_phase(expect=[expect(notifies=notifies, **more)]), **setup).detect()
        start = self.drill.start_ms()
        self.firing_ms = self.drill.evaluation(start + 1200) + 2000
        url = "http://127.0.0.1:9093" if setup is OWN else None
        self.drill.add(records.Alertmanager(at=1.0, version="0.25.0", url=url, routing=ROUTING))

    def posted(self, after_ms: int = 4) -> "Told":
        self.drill.post(self.firing_ms + after_ms, self.firing_ms)
        return self

    def accepted(self, after_ms: int = 300, state: str = "active", **changes: Any) -> "Told":
        at_ms = self.firing_ms + after_ms
        values: dict[str, Any] = {
            "at": at_ms / 1000, "labels": LABELS, "starts_at_ms": self.firing_ms, "updated_at_ms": self.firing_ms + 6,
            "unseen_at": (self.firing_ms - 700) / 1000, "state": state, "receivers": ("pager",),
        }  # fmt: skip
        self.drill.add(records.Accepted(**(values | changes)))
        return self

    def delivered(self, after_ms: int, receiver: str = "pager", **changes: Any) -> "Told":
        values: dict[str, Any] = {
            "at": (self.firing_ms + after_ms) / 1000, "receiver": receiver, "integration": "webhook", "labels": LABELS,
            "status": "firing", "starts_at_ms": self.firing_ms,
        }  # fmt: skip
        self.drill.add(records.Delivered(**(values | changes)))
        return self

    def silence(self, ours: bool, identity: str = "s1", by: str = "alice") -> "Told":
        self.drill.add(
            records.Silence(
                at=1.0, id=identity, ours=ours, matchers=('alertname="NullsHigh"',), created_by=by,
                comment="maintenance", ends_at=2e9,
            )
        )  # fmt: skip
        return self

    def trouble(self) -> "Told":
        at = self.firing_ms / 1000
        self.drill.add(records.Trouble(at=at, kind="alertmanager_gone", what="it has not answered"))
        return self

    @property
    def one(self) -> Any:
        return self.drill.expectation()

    @property
    def outcome(self) -> tuple[str, str | None, str | None]:
        one = self.one
        return one.verdict.value, one.notification, one.reason.code.value if one.reason else None
