"""How a server of the user's own monitoring is reached: address, login, headers, tenant, TLS. No secret stands here."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from alertdrill.core.errors import BadValue
from alertdrill.core.scenario.part import Part, Text
from alertdrill.core.scenario.secret import HOW_TO_KEEP_IT, NO_SECRET, HeaderValue, Secret
from alertdrill.core.scenario.server_tls import ServerTls
from alertdrill.core.scenario.target import Url, check_header

TENANT_HEADER = "X-Scope-OrgID"
_SECRET_HEADER = re.compile(r"auth|cookie|token|secret|passw|credential|key|session|jwt|signature", re.IGNORECASE)


def names_secret(header: str) -> bool:
    """Whether a header of that name usually carries a secret."""
    return _SECRET_HEADER.search(header) is not None


def _check_mapping(value: object) -> object:
    if isinstance(value, dict | BasicAuth):
        return value
    raise BadValue(
        "a mapping", "write {NAME: value}, a secret as {env: NAME} or {file: PATH}", "something else", hidden=True
    )


def _check_headers(headers: dict[str, HeaderValue]) -> dict[str, HeaderValue]:
    for name, value in headers.items():
        check_header(name, value if isinstance(value, str) else "")
        if isinstance(value, str) and names_secret(name):
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
