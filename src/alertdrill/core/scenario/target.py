"""The model endpoint that a scenario drills."""

import ipaddress
import re
import shlex
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo, field_validator

from alertdrill.core.errors import BadValue
from alertdrill.core.scenario.part import Name, Part, Text
from alertdrill.core.scenario.secret import HeaderValue, Secret
from alertdrill.core.scenario.server_tls import ServerTls
from alertdrill.core.units import DurationS
from alertdrill.protocols.catalogue import ProtocolSpec


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine: localhost, 127.0.0.0/8 or ::1."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address in ipaddress.ip_network("127.0.0.0/8") or address == ipaddress.ip_address("::1")


def check_url(url: str) -> str:
    """The URL itself, if it is http(s) with a host and without credentials.

    Raises:
        BadValue: it is not.
    """
    expected = "an address such as http://127.0.0.1:8000"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise BadValue(expected, "write http://HOST:PORT, the port from 1 to 65535") from None
    if parts.scheme not in ("http", "https"):
        if "@" in url:
            raise BadValue(expected, "write http://HOST:PORT", "an address with a user name or password", hidden=True)
        raise BadValue(expected, f"write http://{url.split('://', 1)[-1].lstrip('/')}")
    if not host or re.search(r"[\s\x00-\x1f]", url):
        raise BadValue(expected, "write the host after //, without blanks")
    if parts.username is not None or parts.password is not None:
        got, fix = "an address with a user name or password", "write http://HOST:PORT"
        raise BadValue("an address without a password in it", fix, got, hidden=True)
    return url


Url = Annotated[str, AfterValidator(check_url)]
"""An http or https address."""


def check_header(name: str, value: str, at: tuple[str, ...] | None = None) -> None:
    """See that a header can be sent.

    Args:
        name: its name.
        value: its value.
        at: keys to its value; None: its name.

    Raises:
        BadValue: it cannot.
    """
    where = (name,) if at is None else at
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
        raise BadValue("a header name of letters, digits and '-'", "write it like X-Team", repr(name), where)
    if not re.fullmatch(r"[\t\x20-\x7e]*", value):
        raise BadValue("one line of plain ASCII text", "encode the value, such as by base64", None, where)


def _check_headers(headers: dict[str, HeaderValue]) -> dict[str, HeaderValue]:
    for name, value in headers.items():
        check_header(name, value if isinstance(value, str) else "")
    return headers


class BundledTarget(Part):
    """A model that comes with alertdrill, started for the drill."""

    bundled: Name = Field(
        description="name of a bundled model (or url and schema of one that runs, or a command that starts one)",
        examples=["fraud"],
    )


class OwnTarget(Part):
    """What has to be said of any model of the user's own."""

    schema_: Text = Field(
        alias="schema", description="file with the features and the path of the endpoint", examples=["schema.json"]
    )
    sample: Text = Field(
        description="CSV file with normal rows: what the load draws from, and the monitor's reference",
        examples=["sample.csv"],
    )
    protocol: ProtocolSpec | None = Field(
        default=None,
        description="how requests and answers are written: json, oip_v2, instances or mlflow, or a mapping with its "
        "kind and options; default: what the schema's file says",
        examples=["oip_v2"],
    )
    headers: Annotated[dict[str, HeaderValue], AfterValidator(_check_headers)] = Field(
        default_factory=dict,
        description="headers sent with every request; those that carry a secret as {env: NAME} or {file: PATH}, which "
        "is read once, when the drill begins",
        examples=["{X-Api-Key: {env: API_KEY}}"],
    )


class RemoteProxy(Part):
    """A fault proxy that already stands on the way (`alertdrill proxy`), and is told by its control interface."""

    control: Url = Field(description="address of its control interface", examples=["http://127.0.0.1:9901"])
    token: Secret = Field(description="where the secret is that it was started with", examples=["{env: PROXY_TOKEN}"])


RemotePlace = Literal["edge", "model", "dependency"]
"""Where on the wire a fault proxy can stand."""


class UrlTarget(OwnTarget):
    """A model endpoint that already runs."""

    # First, as the check of `url` reads it.
    allow_hosts: tuple[Text, ...] = Field(
        default=(),
        description="hosts other than this machine that may be loaded and broken",
        examples=[["staging.test"]],
    )
    url: Url = Field(
        description="address of the server, without the path of the endpoint", examples=["http://127.0.0.1:8000"]
    )
    proxies: dict[RemotePlace, RemoteProxy] = Field(
        default_factory=dict,
        description="fault proxies that already stand on the way, by place: faults there are theirs to carry out, and "
        "alertdrill starts none",
        examples=["{model: {control: 'http://127.0.0.1:9901', token: {env: PROXY_TOKEN}}}"],
    )
    traffic_query: Text | None = Field(
        default=None,
        description="PromQL for all requests a second that the target gets, for a Prometheus of your own; it says how "
        "far the traffic of others dilutes a drill",
        examples=["sum(rate(http_requests_total[5m]))"],
    )
    tls: ServerTls | None = Field(
        default=None, description="of an https target: what it is trusted by, if not by the system's roots"
    )

    @field_validator("url")
    @classmethod
    def _check_host(cls, url: str, info: ValidationInfo) -> str:
        allowed = info.data.get("allow_hosts")  # not there when wrong itself
        host = urlsplit(url).hostname or ""
        if allowed is None or is_loopback(host) or host in {name.lower() for name in allowed}:
            return url
        raise _not_allowed(host)

    @field_validator("proxies")
    @classmethod
    def _check_controls(
        cls, proxies: dict[RemotePlace, RemoteProxy], info: ValidationInfo
    ) -> dict[RemotePlace, RemoteProxy]:
        allowed = info.data.get("allow_hosts")  # not there when wrong itself
        for place, proxy in proxies.items():
            host = urlsplit(proxy.control).hostname or ""
            if allowed is not None and not is_loopback(host) and host not in {name.lower() for name in allowed}:
                raise _not_allowed(host, (place, "control"))
        return proxies

    @field_validator("tls")
    @classmethod
    def _check_scheme(cls, tls: ServerTls | None, info: ValidationInfo) -> ServerTls | None:
        url = info.data.get("url")  # not there when wrong itself
        if tls is not None and url is not None and urlsplit(url).scheme != "https":
            raise BadValue("an https address in target.url", "write https://… there, or remove tls", "tls for http")
        return tls


PORT, METRICS_PORT = "{port}", "{metrics_port}"
"""What stands in a command, or in a variable of its environment, for a free port of this machine."""


def _check_command(command: str) -> str:
    expected = "a program with its arguments, as a shell would split them"
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise BadValue(expected, f"close the quotation ({error})") from None
    if not words:
        raise BadValue(expected, "write the program that serves the model")
    if any(word in ("|", "&&", "||", ";", "&", ">", "<") for word in words):
        raise BadValue(f"{expected}; there is no shell", "put it into a script, and name that")
    return command


def _check_path(path: str) -> str:
    if re.fullmatch(r"/[\x21-\x7e]*", path):
        return path
    raise BadValue("a path that begins with /", "write it like /health")


def _check_environment(variables: dict[str, str]) -> dict[str, str]:
    for name, value in variables.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise BadValue("a name of letters, digits and '_'", "write it like OMP_NUM_THREADS", repr(name), (name,))
        if "\0" in value:
            raise BadValue("text without a zero byte", "remove it", None, (name,))
    return variables


def _not_allowed(host: str, at: tuple[str, ...] = ()) -> BadValue:
    fix = f"if you may load and break that host, add allow_hosts: [{host}]"
    return BadValue("this machine (127.0.0.0/8, ::1, localhost) or a host in allow_hosts", fix, at=at)


class CommandTarget(OwnTarget):
    """A model server that is started for the drill by a command of the user's own."""

    # First, as the check of `command` reads it.
    env: Annotated[dict[str, str], AfterValidator(_check_environment)] = Field(
        default_factory=dict,
        description="variables of its environment, beside those that alertdrill has; {port} stands for the port",
        examples=[{"OMP_NUM_THREADS": "4"}],
    )
    command: Annotated[Text, AfterValidator(_check_command)] = Field(
        description="program and arguments that serve the model on 127.0.0.1 at {port}, split as a shell would and run "
        "without one, under --allow-commands",
        examples=["uvicorn app:app --port {port}"],
    )
    ready: Annotated[Text, AfterValidator(_check_path)] = Field(
        description="path that answers 2xx once it serves", examples=["/health"]
    )
    ready_timeout: DurationS = Field(default=60.0, gt=0, description="how long that may take")
    cwd: Text | None = Field(
        default=None, description="folder that it runs in; default: that of the scenario", examples=["service"]
    )
    metrics: Annotated[Text, AfterValidator(_check_path)] | None = Field(
        default=None,
        description="path of its own metrics, scraped by a managed Prometheus as job model: at {metrics_port} where "
        "command or env have that, else at {port}",
        examples=["/metrics"],
    )

    @field_validator("command")
    @classmethod
    def _check_port(cls, command: str, info: ValidationInfo) -> str:
        variables = info.data.get("env")  # not there when wrong itself
        if variables is None or any(PORT in text for text in (command, *variables.values())):
            return command
        raise BadValue("a command with {port}, or a variable in env that has it", "write it like --port {port}")

    @property
    def has_metrics_port(self) -> bool:
        """Whether its metrics are at a port of their own."""
        return any(METRICS_PORT in text for text in (self.command, *self.env.values()))


_OWN = {"url": UrlTarget, "command": CommandTarget}


def _which(value: Any) -> str:
    for key, kind in _OWN.items():
        if isinstance(value, kind) or (isinstance(value, dict) and key in value):
            return f"({key})"
    return "(bundled)"


Target = Annotated[
    Annotated[BundledTarget, Tag("(bundled)")]
    | Annotated[UrlTarget, Tag("(url)")]
    | Annotated[CommandTarget, Tag("(command)")],
    Discriminator(_which),
]
"""A bundled model, an endpoint that already runs, or one that a command starts."""
