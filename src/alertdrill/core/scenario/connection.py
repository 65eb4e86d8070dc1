"""How a server of the user's own monitoring is reached: address, login, headers, tenant, TLS. No secret stands here."""

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from alertdrill.core.errors import BadValue
from alertdrill.core.scenario.part import Part, Text
from alertdrill.core.scenario.server_tls import ServerTls
from alertdrill.core.scenario.target import Url, check_header

TENANT_HEADER = "X-Scope-OrgID"
NO_SECRET = "{env: NAME} or {file: PATH}, as a scenario keeps no secret"
HOW_TO_KEEP_IT = "write {env: NAME} and set that variable, or {file: PATH} and put it there"

_ENV_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_SECRET_HEADER = re.compile(r"auth|cookie|token|secret|passw|credential|key|session|jwt|signature", re.IGNORECASE)


def _check_env_name(name: str) -> str:
    if re.fullmatch(_ENV_NAME, name):
        return name
    fix = "write its name alone, such as PROM_TOKEN, and set it where alertdrill is started"
    raise BadValue("the name of an environment variable", fix, "another text", hidden=True)


class FromEnvironment(Part):
    """A secret that an environment variable holds."""

    env: Annotated[str, AfterValidator(_check_env_name)] = Field(
        description="name of the variable, looked up for each request", examples=["PROM_TOKEN"]
    )


class FromFile(Part):
    """A secret that a file holds."""

    file: Text = Field(
        description="file that holds nothing else, read anew for each request; blanks around it are left out",
        examples=["/run/secrets/prometheus-token"],
    )


def _check_secret(value: object) -> object:
    if isinstance(value, FromEnvironment | FromFile):
        return value
    if not isinstance(value, dict):
        raise BadValue(NO_SECRET, HOW_TO_KEEP_IT, "the secret itself", hidden=True)
    if len({"env", "file"} & set(value)) != 1 or len(value) > 1:
        raise BadValue(NO_SECRET, HOW_TO_KEEP_IT, "a mapping with other keys", hidden=True)
    return value


def _which_secret(value: Any) -> str:
    return (
        "(environment)"
        if isinstance(value, FromEnvironment) or (isinstance(value, dict) and "env" in value)
        else "(file)"
    )


Secret = Annotated[
    Annotated[FromEnvironment, Tag("(environment)")] | Annotated[FromFile, Tag("(file)")],
    Discriminator(_which_secret),
    BeforeValidator(_check_secret),
]
"""Where a secret is: never the secret itself."""


def _check_header_value(value: object) -> object:
    return value if isinstance(value, str) else _check_secret(value)


def _which_header_value(value: Any) -> str:
    return "(text)" if isinstance(value, str) else _which_secret(value)


HeaderValue = Annotated[
    Annotated[str, Tag("(text)")]
    | Annotated[FromEnvironment, Tag("(environment)")]
    | Annotated[FromFile, Tag("(file)")],
    Discriminator(_which_header_value),
    BeforeValidator(_check_header_value),
]
"""Text that everybody may read, or where a secret is."""


def _check_mapping(value: object) -> object:
    if isinstance(value, dict | BasicAuth):
        return value
    raise BadValue(
        "a mapping", "write {NAME: value}, a secret as {env: NAME} or {file: PATH}", "something else", hidden=True
    )


def _check_headers(headers: dict[str, HeaderValue]) -> dict[str, HeaderValue]:
    for name, value in headers.items():
        check_header(name, value if isinstance(value, str) else "")
        if isinstance(value, str) and _SECRET_HEADER.search(name):
            raise BadValue(NO_SECRET, HOW_TO_KEEP_IT, "the secret itself", (name,), hidden=True)
    return headers


class BasicAuth(Part):
    """A user name and a password."""

    username: Text = Field(description="name of the user, without a colon", examples=["alertdrill"])
    password: Secret = Field(description="where the password is", examples=["{env: PROM_PASSWORD}"])

    @model_validator(mode="after")
    def _check_name(self) -> "BasicAuth":
        if ":" in self.username or not self.username.isprintable():
            raise BadValue("a user name without a colon", "write the name alone", None, ("username",), hidden=True)
        return self


def no_mapping(value: object, expected: str) -> BadValue:
    """What is wrong where a server stands as something else than a mapping or a known word."""
    address = isinstance(value, str) and "://" in value
    if address and "@" in str(value):
        return BadValue(expected, "write {url: http://HOST:PORT}", "an address with a password in it", hidden=True)
    return BadValue(expected, f"write {{url: {value}}}" if address else "write managed")


class Connection(Part):
    """How a server of the user's own is reached."""

    url: Url = Field(description="its address, with its path prefix if it has one")
    bearer_token: Secret | None = Field(
        default=None, description="where the token is that is sent with every request", examples=["{env: PROM_TOKEN}"]
    )
    basic_auth: Annotated[BasicAuth, BeforeValidator(_check_mapping)] | None = Field(
        default=None,
        description="user name and password that are sent with every request",
        examples=["{username: alertdrill, password: {file: password.txt}}"],
    )
    headers: Annotated[dict[str, HeaderValue], BeforeValidator(_check_mapping), AfterValidator(_check_headers)] = Field(
        default_factory=dict,
        description="further headers of every request; those that carry a secret as {env: NAME} or {file: PATH}",
        examples=["{X-Api-Key: {env: API_KEY}}"],
    )
    tenant: Text | None = Field(
        default=None,
        description=f"tenant, of servers that keep several apart: sent as {TENANT_HEADER} (Mimir, Cortex; Thanos "
        "reads `headers: {THANOS-TENANT: …}` unless told otherwise)",
        examples=["fraud-team"],
    )
    tls: ServerTls | None = Field(
        default=None, description="of an https address: what it is trusted by, if not by the system's roots"
    )

    @model_validator(mode="after")
    def _check_connection(self) -> "Connection":
        if self.bearer_token is not None and self.basic_auth is not None:
            raise BadValue(
                "one way to log in", "remove bearer_token or basic_auth", "both", ("basic_auth",), hidden=True
            )
        taken = {"host": "url", "content-length": "nothing"}
        taken |= {TENANT_HEADER.lower(): "tenant"} if self.tenant is not None else {}
        taken |= {"authorization": "bearer_token"} if self.bearer_token is not None else {}
        taken |= {"authorization": "basic_auth"} if self.basic_auth is not None else {}
        for name in self.headers:
            if name.lower() in taken:
                expected = f"a header that {taken[name.lower()]} does not set already"
                raise BadValue(expected, "remove it", name, ("headers", name), hidden=True)
        if self.tenant is not None:
            check_header(TENANT_HEADER, self.tenant, ("tenant",))
        if self.tls is not None and urlsplit(self.url).scheme != "https":
            raise BadValue("an https address in url", "write https://… there, or remove tls", "tls for http", ("tls",))
        return self
