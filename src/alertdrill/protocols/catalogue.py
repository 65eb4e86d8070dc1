"""Every protocol there is, by kind, and how a file names one."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from alertdrill.protocols.bad_value import BadValue
from alertdrill.protocols.base import Protocol
from alertdrill.protocols.instances import Instances
from alertdrill.protocols.json_template import Json
from alertdrill.protocols.mlflow import Mlflow
from alertdrill.protocols.oip_v2 import OipV2

PROTOCOLS: tuple[type[Protocol], ...] = (Json, OipV2, Instances, Mlflow)
KINDS: tuple[str, ...] = tuple(of.model_fields["kind"].default for of in PROTOCOLS)


def _spelled_out(value: Any) -> Any:
    """A name alone stands for the protocol with its default options."""
    if not isinstance(value, str):
        return value
    if value not in KINDS:
        raise BadValue(f"a protocol: {', '.join(KINDS)}, or {{kind: …}} with options", f"write {_near(value)}")
    return {"kind": value}


def _near(name: str) -> str:
    """The protocol that another name of it most likely means."""
    known = {"v1": "instances", "tf": "instances", "kserve": "instances", "v2": "oip_v2", "oip": "oip_v2"}
    known |= {"triton": "oip_v2", "mlserver": "oip_v2", "databricks": "mlflow", "invocations": "mlflow"}
    lowered = name.lower()
    return next((kind for part, kind in {**{kind: kind for kind in KINDS}, **known}.items() if part in lowered), "json")


class _OrItsName:
    """In the JSON Schema, a protocol can also be its name alone."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"enum": list(KINDS)}, handler(schema)], "examples": list(KINDS)}


ProtocolSpec = Annotated[
    Json | OipV2 | Instances | Mlflow, Field(discriminator="kind"), BeforeValidator(_spelled_out), _OrItsName()
]
"""One protocol, told apart by `kind`; its name alone where no option is set."""
