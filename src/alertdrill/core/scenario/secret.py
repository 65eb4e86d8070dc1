"""Where a secret is: an environment variable or a file. No secret stands in a scenario."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from alertdrill.core.errors import BadValue
from alertdrill.core.scenario.part import Part, Text

NO_SECRET = "{env: NAME} or {file: PATH}, as a scenario keeps no secret"
HOW_TO_KEEP_IT = "write {env: NAME} and set that variable, or {file: PATH} and put it there"

_ENV_NAME = r"[A-Za-z_][A-Za-z0-9_]*"


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
