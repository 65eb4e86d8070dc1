"""The first files of a model: its target, and a drill that breaks what the generated rules watch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alertdrill.core.faults.row.mean_shift import MeanShift
from alertdrill.core.faults.row.nulls import Nulls
from alertdrill.core.joining.flow import flow
from alertdrill.core.joining.joined import Joined
from alertdrill.core.joining.reference_table import Column
from alertdrill.protocols.features import Feature
from alertdrill.protocols.forms import Trait

TARGET, SCHEMA, SAMPLE, RULES, DRILL = "target.yaml", "schema.yaml", "sample.csv", "rules.yml", "drill.yaml"
OWN_RULES = "own-rules.yaml"
FILES = (TARGET, SCHEMA, SAMPLE, RULES, DRILL)


@dataclass(frozen=True)
class Reached:
    """How the endpoint is reached.

    Attributes:
        url: of the server, with what stands before the path of the endpoint.
        allow_hosts: hosts other than this machine.
        headers: that everybody may read.
        secret_headers: variables that hold the values of further headers, by the header's name.
        tls: as a scenario writes it.
    """

    url: str
    allow_hosts: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, str] = field(default_factory=dict)
    tls: Mapping[str, Any] = field(default_factory=dict)


def target_text(reached: Reached) -> str:
    """target.yaml: what every scenario of the model includes."""
    lines = ["# How the model is reached: scenarios include this file (target: {include: target.yaml})."]
    lines.append(f"url: {flow(reached.url)}")
    if reached.allow_hosts:
        lines.append(f"allow_hosts: {flow(reached.allow_hosts)}  # may be loaded and broken")
    lines += [f"schema: {SCHEMA}", f"sample: {SAMPLE}"]
    if reached.headers or reached.secret_headers:
        lines.append("headers:")
        lines += [f"  {flow(name)}: {flow(value)}" for name, value in reached.headers.items()]
        lines += [f"  {flow(name)}: {flow({'env': variable})}" for name, variable in reached.secret_headers.items()]
    if reached.tls:
        lines.append(f"tls: {flow(reached.tls)}")
    return "\n".join(lines) + "\n"


def schema_text(joined: Joined, source: str) -> str:
    """schema.yaml: features and endpoint, with what the reference shows of each feature."""
    schema = joined.schema
    protocol = schema.protocol.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    lines = [
        f"# How requests are written, as {source} has it.",
        "# Features stand in the order in which requests write them, with what the reference shows of each;",
        "# watched: false for identifiers and free text, which have no drift.",
        f"protocol: {flow({'kind': schema.protocol.kind, **protocol})}",
        f"path: {flow(schema.path)}",
    ]
    if schema.label is not None:
        lines.append(f"label: {flow(schema.label)}  # column of the sample with the true label; never sent")
    lines.append("features:")
    for feature, column in zip(schema.features, joined.columns, strict=True):
        lines.append(f"  - {_feature(feature)}  # {_comment(column)}")
    return "\n".join(lines) + "\n"


def _feature(feature: Feature) -> str:
    written = {"name": feature.name, "kind": str(feature.kind)}
    unwatched = {} if feature.watched or feature.kind == "timestamp" else {"watched": False}
    return flow({**written, **unwatched})


def _comment(column: Column) -> str:
    return "".join(character if character.isprintable() else " " for character in column.about)


def drill_text(joined: Joined, name: str, rate_per_s: int) -> str:
    """drill.yaml: healthy traffic, then one fault after the other, each with the alert that must notice it.

    Args:
        joined: the model.
        name: of the scenario.
        rate_per_s: requests a second.
    """
    head = f"""\
# A first drill: {name} is broken in a few ways, one after the other; each phase names the alert that must notice.
version: 1
name: {name}
target:
  include: {TARGET}
monitoring:
  monitor: sidecar                # the reference monitor stands in front of the model and exports metrics
  prometheus: managed             # a real Prometheus, started for this drill
  rules: [{RULES}]
  scrape_interval: 1s
  evaluation_interval: 1s
load: {{rate: {rate_per_s}/s}}

phases:
  - {{name: baseline, duration: 15s}}   # no faults: healthy traffic must not raise any alert
"""
    return head + "".join(_phase(one) for one in _phases(joined))


@dataclass(frozen=True)
class _Phase:
    name: str
    about: str
    fault: Mapping[str, Any]
    alert: str
    labels: Mapping[str, str] = field(default_factory=dict)


def _phase(one: _Phase) -> str:
    labels = f", labels: {flow(one.labels)}" if one.labels else ""
    return f"""
  - name: {one.name}  # {one.about}
    duration: 30s
    end_when: decided             # once its alert has fired and notified
    faults: [{flow(one.fault)}]
    expect: [{{alert: {one.alert}{labels}, within: 15s, resolves_within: 60s}}]
"""


def _phases(joined: Joined) -> Iterator[_Phase]:
    pairs = [pair for pair in zip(joined.schema.features, joined.columns, strict=True) if pair[0].watched]
    numeric = [one for one, column in pairs if one.kind in MeanShift.edits and _varies(column)]
    if numeric:
        name = numeric[0].name
        fault: Mapping[str, Any] = {"kind": "mean_shift", "features": [name], "by": "2sd", "share": "100%"}
        about = "every value moves by two standard deviations"
        yield _Phase("drift", about, fault, "FeatureDrift", {"feature": name})
    nullable = [one for one, column in pairs if one.kind in Nulls.edits and not _often_null(column)]
    if nullable:
        name = nullable[0].name
        fault = {"kind": "nulls", "features": [name], "share": "30%"}
        yield _Phase("nulls", "three in ten requests lack a value", fault, "FeatureNullRateHigh", {"feature": name})
    if Trait.JSON not in joined.schema.form.lacks:
        fault = {"kind": "malformed_json", "share": "20%"}
        yield _Phase("malformed", "a fifth of the bodies cannot be read", fault, "MalformedRequestsHigh")
    fault = {"kind": "http_error", "status": 503, "share": "30%", "place": "model"}
    yield _Phase("errors", "three in ten are answered 503, by a proxy in front of the model", fault, "ErrorRateHigh")


def _varies(column: Column) -> bool:
    return len({text for text in column.texts if text}) > 1


def _often_null(column: Column) -> bool:
    return sum(not text for text in column.texts) > 0.01 * len(column.texts)
