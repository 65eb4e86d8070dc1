"""The target of a drill: a bundled one from its folder, its model trained once, or one that already runs."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs
from pydantic import BaseModel, ConfigDict, Field

from alertdrill.adapters import processes
from alertdrill.adapters.bundled import TARGET_FILE, targets_dir
from alertdrill.adapters.reachable import check_reachable, tls_settings
from alertdrill.adapters.secret import NoSecret, SecretAt, secret_at
from alertdrill.adapters.target_command import ServeCommand, own_command
from alertdrill.adapters.yaml_file import beside, load_model, locate
from alertdrill.core.errors import BadInput, BadValue, Mistake
from alertdrill.core.faults.base import Place
from alertdrill.core.scenario import BundledTarget, CommandTarget, Scenario, UrlTarget
from alertdrill.core.scenario.finding import Finding
from alertdrill.core.scenario.target import OwnTarget
from alertdrill.core.units import DurationS
from alertdrill.protocols.rows import Rows, parse_csv
from alertdrill.protocols.schema import Schema
from alertdrill.tls import SYSTEM_ROOTS, TlsSettings

PREPARE_TIMEOUT_S = 300.0


class Script(BaseModel):
    """A script of a target's folder with its arguments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    script: str = Field(description="file in the target's folder")
    args: tuple[str, ...] = Field(default=(), description="further arguments")


class Dependency(Script):
    """What the server asks while it answers."""

    waits: DurationS | None = Field(
        default=None, gt=0, description="how long the server waits for an answer of it, such as 1s"
    )


class TargetSpec(BaseModel):
    """target.yaml of a bundled target."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str = Field(description="name of the target")
    version: str = Field(description="version of the model")
    description: str = Field(default="", description="what it is, in one sentence")
    schema_: Schema = Field(alias="schema", description="features and endpoint")
    ready: str = Field(description="path that answers 200 once a server serves")
    prepare: Script = Field(description="run once: --data DIR")
    dependency: Dependency | None = Field(default=None, description="started before the server: --data DIR --port 0")
    server: Script = Field(description="--data DIR --port 0 --feature-store URL")
    sample: str = Field(description="CSV in DIR: the rows that the load draws from")


@dataclass(frozen=True)
class RemoteProxyAt:
    """A fault proxy that already stands on the way: the address of its control interface, and the token for it."""

    control: str
    token: SecretAt


@dataclass(frozen=True, eq=False)
class PreparedTarget:
    """A target that is ready to be started, or that already runs at `url`.

    Attributes:
        sample_path: CSV that rows are drawn from, the monitor's reference.
        rules: the bundled drill profile; empty for a target of the user's own.
        headers: sent with every request, as the scenario has them.
        secret_headers: the same, whose values the scenario does not hold; in no file.
        folder, data, spec: of a bundled target; None otherwise.
        url: of a target that already runs; None otherwise.
        command: of a target that a command of the user's starts; None otherwise.
        proxies: fault proxies that already stand on the way.
        tls: how that is trusted if it is https.
    """

    name: str
    version: str
    schema: Schema
    sample_path: Path
    sample: Rows
    sample_sha256: str
    rules: tuple[Path, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None
    data: Path | None = None
    spec: TargetSpec | None = None
    url: str | None = None
    tls: TlsSettings = SYSTEM_ROOTS
    secret_headers: dict[str, str] = field(default_factory=dict, repr=False)
    command: ServeCommand | None = None
    proxies: Mapping[Place, RemoteProxyAt] = field(default_factory=dict)

    @property
    def metrics(self) -> str | None:
        """Path of the metrics of a model that we start; None if they are not scraped."""
        if self.command is not None:
            return self.command.metrics
        return "/metrics" if self.spec is not None else None

    @property
    def origin(self) -> str:
        """Address of a target that already runs: scheme, host and port."""
        parts = urlsplit(self.url or "")
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{parts.scheme}://{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"

    @property
    def base_path(self) -> str:
        """What stands before the path of the endpoint."""
        return urlsplit(self.url or "").path.rstrip("/")

    @property
    def all_headers(self) -> dict[str, str]:
        """All headers that are sent with every request."""
        return {**self.headers, **self.secret_headers}

    @property
    def authority(self) -> str | None:
        """What a target that already runs is called in the Host header; None for one that we start."""
        return urlsplit(self.url).netloc if self.url else None


def bundled_rules(name: str) -> tuple[Path, ...]:
    """The drill profile of a bundled target."""
    return (targets_dir() / name / "rules" / "alerts.drill.yml",)


async def prepare_target(scenario: Scenario, scenario_path: Path, say: Callable[[str], None]) -> PreparedTarget:
    """Make a target ready: train a bundled model once, or see that a running one can be reached; none is started.

    Raises:
        BadInput: a file of it cannot be used, or it cannot be reached.
        ProcessFailed: the training failed.
    """
    if isinstance(scenario.target, BundledTarget):
        return await _bundled(scenario.target.bundled, say)
    if isinstance(scenario.target, CommandTarget):
        described = _to_start(scenario.target, scenario_path)
        return replace(described, secret_headers=_secrets(scenario.target, scenario_path))
    return _running(scenario.target, scenario_path, say)


def described_target(scenario: Scenario, scenario_path: Path) -> PreparedTarget | None:
    """The target by its files alone: nothing is trained or connected to. None: a bundled one that was never trained.

    Raises:
        BadInput: a file of it cannot be used.
    """
    if isinstance(scenario.target, UrlTarget):
        return _described(scenario.target, scenario_path)
    if isinstance(scenario.target, CommandTarget):
        return _to_start(scenario.target, scenario_path)
    name = scenario.target.bundled
    spec = _spec(name)
    return _trained(name, spec) if (_data(name) / spec.sample).is_file() else None


def target_schema(scenario: Scenario, scenario_path: Path) -> Schema:
    """The schema of the target, from its file.

    Raises:
        BadInput: the file cannot be used.
    """
    if not isinstance(scenario.target, BundledTarget):
        return _schema(scenario.target, scenario_path)
    return _spec(scenario.target.bundled).schema_


async def _bundled(name: str, say: Callable[[str], None]) -> PreparedTarget:
    folder, spec, data = _folder(name), _spec(name), _data(name)
    data.mkdir(parents=True, exist_ok=True)
    say(f"preparing model {name}")
    log = data / "prepare.log"
    log.unlink(missing_ok=True)
    child = await processes.start(
        f"{name} {spec.prepare.script}",
        [str(folder / spec.prepare.script), *spec.prepare.args, "--data", str(data)],
        log,
    )
    try:
        prepared = await child.event("prepared", PREPARE_TIMEOUT_S)
    except processes.ProcessFailed as error:
        raise processes.ProcessFailed(f"{error}\n  fix: pip install 'alertdrill[targets]', then run again") from error
    finally:
        await child.stop()
    say(f"model {name}: {prepared['state']}, held-out AUC {prepared['auc']}")
    return _trained(name, spec)


def _folder(name: str) -> Path:
    return targets_dir() / name


def _spec(name: str) -> TargetSpec:
    return load_model(_folder(name) / TARGET_FILE, TargetSpec, "target")


def _data(name: str) -> Path:
    """Where the files of a bundled target are that its training makes."""
    return platformdirs.user_cache_path("alertdrill") / "targets" / name


def _trained(name: str, spec: TargetSpec) -> PreparedTarget:
    """A bundled target whose files are there."""
    data = _data(name)
    rows, digest = _sample(data / spec.sample, spec.schema_)
    return PreparedTarget(
        spec.name,
        spec.version,
        spec.schema_,
        data / spec.sample,
        rows,
        digest,
        bundled_rules(name),
        {},
        _folder(name),
        data,
        spec,
    )


def _running(target: UrlTarget, scenario_path: Path, say: Callable[[str], None]) -> PreparedTarget:
    described = replace(_described(target, scenario_path), secret_headers=_secrets(target, scenario_path))
    check_reachable(target.url, described.tls, scenario_path)
    if not described.tls.verify:
        say(f"note: whoever answers at {target.url} is trusted (target.tls.verify: false)")
    return described


def _described(target: UrlTarget, scenario_path: Path) -> PreparedTarget:
    """A target that already runs, by its files alone."""
    schema = _schema(target, scenario_path)
    sample_path = beside(scenario_path, target.sample)
    rows, digest = _sample(sample_path, schema)
    tls = tls_settings(target.tls, ("target", "tls"), scenario_path)
    name = urlsplit(target.url).hostname or "target"
    proxies = {
        Place(place): RemoteProxyAt(one.control, secret_at(one.token, scenario_path))
        for place, one in target.proxies.items()
    }
    return PreparedTarget(
        name,
        "1",
        schema,
        sample_path,
        rows,
        digest,
        headers=_open(target),
        url=target.url,
        tls=tls,
        proxies=proxies,
    )


def _open(target: OwnTarget) -> dict[str, str]:
    """The headers that a scenario has as they are sent."""
    return {name: value for name, value in target.headers.items() if isinstance(value, str)}


def _secrets(target: OwnTarget, scenario_path: Path) -> dict[str, str]:
    """The headers whose values the scenario names.

    Raises:
        BadInput: one of these cannot be had.
    """
    found, findings = {}, []
    for name, value in target.headers.items():
        try:
            if not isinstance(value, str):
                found[name] = secret_at(value, scenario_path).read()
        except NoSecret as error:
            findings.append(Finding(("target", "headers", name), error.expected, error.fix, error.got))
    if findings:
        raise BadInput(locate(scenario_path, findings))
    return found


def _to_start(target: CommandTarget, scenario_path: Path) -> PreparedTarget:
    schema, command = _schema(target, scenario_path), own_command(target, scenario_path)
    sample_path = beside(scenario_path, target.sample)
    rows, digest = _sample(sample_path, schema)
    headers = _open(target)
    return PreparedTarget("model", "1", schema, sample_path, rows, digest, headers=headers, command=command)


def _schema(target: OwnTarget, scenario_path: Path) -> Schema:
    """The schema of the target's file, with the protocol that the scenario names."""
    schema = load_model(beside(scenario_path, target.schema_), Schema, "schema")
    if target.protocol is None:
        return schema
    try:
        return schema.speaking(target.protocol)
    except BadValue as error:
        if error.at[0] == "path":
            file = str(beside(scenario_path, target.schema_))
            raise BadInput([Mistake("path", error.got or "nothing", error.expected, error.fix, file=file)]) from None
        finding = Finding(("target", *error.at), error.expected, error.fix, error.got)
        raise BadInput(locate(scenario_path, [finding])) from None


def _sample(path: Path, schema: Schema) -> tuple[Rows, str]:
    fix = "give a CSV with a header of feature names, one row a line, nothing between commas for a null"
    try:
        content = path.read_bytes()
        return parse_csv(content.decode(), schema), hashlib.sha256(content).hexdigest()
    except OSError as error:
        got = error.strerror or str(error)
    except KeyError as error:
        got = f"no column {error}"
    except (ValueError, IndexError) as error:
        got = str(error)
    raise BadInput([Mistake("sample", got, "rows of the target", fix, file=str(path))])
