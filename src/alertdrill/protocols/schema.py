"""What a target takes: its features, their types, where to send them and how to write them."""

import re
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from alertdrill.protocols.bad_value import BadValue
from alertdrill.protocols.base import Protocol
from alertdrill.protocols.catalogue import ProtocolSpec
from alertdrill.protocols.features import Feature as Feature
from alertdrill.protocols.features import FeatureKind as FeatureKind
from alertdrill.protocols.forms import Form
from alertdrill.protocols.json_template import Json


class Schema(BaseModel):
    """The features of a model, in the order in which requests write them, and its endpoint."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    protocol: ProtocolSpec = Field(default_factory=Json, description="how requests and answers are written")
    path: str = Field(
        default="",
        validate_default=True,
        description="path of the endpoint that predicts, such as /v2/models/wine/infer; default: /predict for json, "
        "/invocations for mlflow",
    )
    features: tuple[Feature, ...] = Field(min_length=1, description="the inputs of the model, in order")
    label: str | None = Field(
        default=None, description="column of the sample that holds the true label of a row; never sent"
    )

    @field_validator("path")
    @classmethod
    def _path(cls, path: str, info: ValidationInfo) -> str:
        protocol: Protocol | None = info.data.get("protocol")  # not there when wrong itself
        if path and not re.fullmatch(r"/[^\s\x00-\x1f\x7f]*", path):
            # Behind http://HOST:PORT, anything else could name another host: nobody allowed that one.
            raise BadValue("a path that begins with /, without blanks", "write it like /predict")
        if path or protocol is None:
            return path
        if protocol.default_path is None:
            expected = f"the path of the endpoint, as {protocol.kind} has the model's name in it"
            raise BadValue(expected, f"add path: {protocol.example_path}", "nothing")
        return protocol.default_path

    @model_validator(mode="after")
    def _fits(self) -> Self:
        last = {feature.name: position for position, feature in enumerate(self.features)}
        if len(last) < len(self.features):
            first, name = next((i, one.name) for i, one in enumerate(self.features) if last[one.name] != i)
            where = ("features", last[name], "name")
            raise BadValue(f"each name once (the first is features[{first}])", "rename or remove one", None, where)
        for mistake in self.protocol.unfit(self.features):
            at = ("protocol", *mistake.at)
            raise BadValue(mistake.expected, mistake.fix, mistake.got, at)
        return self

    def speaking(self, protocol: Protocol, path: str = "") -> "Schema":
        """The same model behind another protocol, at `path`; its default path if none is given here or was written.

        Raises:
            BadValue: the protocol does not fit; `at` begins with `protocol` or `path`.
        """
        path = path or (self.path if "path" in self.model_fields_set else "")
        try:
            return Schema.model_validate({**dict(self), "protocol": protocol, "path": path})
        except ValidationError as error:
            (first, *_) = error.errors()
            mistake: BadValue = first["ctx"]["error"]
            at = (*first["loc"], *mistake.at)
            raise BadValue(mistake.expected, mistake.fix, mistake.got, at) from None

    @property
    def form(self) -> Form:
        """How a row is written."""
        return self.protocol.form(self.features)

    @property
    def has_watched_numbers(self) -> bool:
        """Whether there are features of which the monitor keeps means."""
        return any(feature.watched and feature.numeric for feature in self.features)

    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(feature.name for feature in self.features)
