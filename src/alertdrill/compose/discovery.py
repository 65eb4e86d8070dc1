"""What a model server, or a file about its model, says of the endpoint: OpenAPI, MLmodel, metadata, or its path."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import orjson
from pydantic import BaseModel

from alertdrill.adapters.model_server import Answer, ModelServer
from alertdrill.adapters.yaml_file import load_model
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.joining import mlmodel, oip_metadata, openapi
from alertdrill.core.joining.by_path import endpoint_at
from alertdrill.core.joining.endpoint import Endpoint, NotUnderstood
from alertdrill.protocols.base import Protocol

DOCUMENTS = ("openapi.json", "docs.json")
DENIED = (401, 403)
BY_HAND = (
    "give --protocol json (or oip_v2, instances, mlflow, or a mapping with options: docs/protocols.md), or --mlmodel "
    "FILE; the features are then the columns of --reference"
)
LOGIN = "give the header that it wants, such as --header Authorization=env:TOKEN (where TOKEN is Bearer …)"


class MlmodelFile(BaseModel):
    """What is read of an MLmodel file."""

    signature: dict[str, Any] | None = None


@dataclass
class Discovery:
    """What is being found out about one server.

    Attributes:
        server: to ask.
        path: that the user named, from the root of the server; empty: none.
        asked: what was asked, and the status that came.
    """

    server: ModelServer
    path: str
    asked: list[Answer] = field(default_factory=list)

    async def endpoint(self, mlmodel_file: Path | None, protocol: Protocol | None) -> Endpoint:
        """The endpoint that predicts.

        Args:
            mlmodel_file: of its model, if the user has one.
            protocol: that the user names: it counts, whatever documents say.

        Raises:
            BadInput: nothing that is known of it is enough to ask it.
            Unreachable: nobody answers.
        """
        if mlmodel_file is not None:
            found: Endpoint | None = _of_mlmodel(mlmodel_file, self.path)
        else:
            found = await self._of_server(lenient=protocol is not None)
        if protocol is not None:
            return self._speaking(protocol, found)
        if found is None:
            raise BadInput([await self._nothing()])
        return found

    def _speaking(self, protocol: Protocol, found: Endpoint | None) -> Endpoint:
        """The endpoint with the protocol that the user names."""
        if found is not None:
            return replace(found, protocol=protocol, answers_known=True)
        path = self.path or protocol.default_path
        if path is None:
            fix = f"name it, such as {self.server.origin}{protocol.example_path}"
            raise BadInput([Mistake(self.server.origin, "no path", "the path of the endpoint", fix)])
        return Endpoint("--protocol", path, protocol)

    async def _of_server(self, lenient: bool) -> Endpoint | None:
        """What the server says; its path says where to ask.

        Args:
            lenient: whether a document that is not understood counts as none.
        """
        model = oip_metadata.MODEL_PATH.fullmatch(self.path)
        try:
            if model is not None:
                return await self._of_oip(model["model"]) or endpoint_at(f"{model['model']}/infer")
            usual = endpoint_at(self.path)
            if usual is not None:
                await self._get(self.path.removesuffix(":predict") if ":predict" in self.path else "/")
                self._refuse_denied()
                return usual
            return await self._of_openapi()
        except NotUnderstood as error:
            if lenient:
                return None
            raise BadInput([Mistake(self.server.origin, error.got, error.expected, error.fix)]) from None

    async def _of_oip(self, path: str) -> Endpoint | None:
        answer = await self._get(path)
        document = _json(answer)
        self._refuse_denied()
        if not oip_metadata.is_metadata(document):
            return None
        return oip_metadata.endpoint_of(document, path, f"its metadata at {self.server.origin}{path}")

    async def _of_openapi(self) -> Endpoint | None:
        for folder in _folders(self.path):
            for name in DOCUMENTS:
                answer = await self._get(f"{folder}/{name}")
                document = _json(answer)
                found = openapi.operations(document) if openapi.is_openapi(document) else ()
                if found:
                    return self._operation(document, found, folder, answer.path)
        self._refuse_denied()
        return None

    def _operation(self, document: Any, found: Sequence[openapi.Operation], folder: str, at: str) -> Endpoint:
        operation = openapi.chosen(found, "" if self.path == folder else self.path)
        path = f"{_prefix(document, self.server.origin, folder)}{operation.path}"
        if self.path.endswith(operation.path):
            path = self.path
        return openapi.endpoint_of(document, operation, path, f"OpenAPI at {self.server.origin}{at}")

    async def _get(self, path: str) -> Answer:
        answer = await self.server.get(path)
        self.asked.append(answer)
        return answer

    def _refuse_denied(self) -> None:
        """Raise BadInput if the server wants to know who asks."""
        denied = next((one for one in self.asked if one.status in DENIED), None)
        if denied is not None:
            fix = (
                "give the header that it wants, such as --header Authorization=env:TOKEN (the variable holds Bearer …)"
            )
            got = f"{denied.status}: not allowed"
            raise BadInput([Mistake(self.server.origin + denied.path, got, "an answer", fix)])

    async def _nothing(self) -> Mistake:
        """That nothing is known, with what was asked and what can be written by hand."""
        asked = ", ".join(f"{one.path} ({one.status})" for one in self.asked)
        expected, fix = "OpenAPI, or the path of a model server's endpoint", BY_HAND
        hints = {
            "/v2": "the path of a model",
            "/v1/models": "the path of a model",
            "/ping": "what an MLmodel file says",
        }
        named = {
            "/v2": f"name the model, such as {self.server.origin}/v2/models/NAME/infer",
            "/v1/models": f"name the model, such as {self.server.origin}/v1/models/NAME:predict",
            "/ping": "give --mlmodel FILE, the MLmodel file of the model, as MLflow's server does not show it",
        }
        for path, hint in hints.items():
            if (await self.server.get(path)).ok:
                expected, fix = hint, named[path]
                break
        return Mistake(self.server.origin + self.path, f"nothing of use from {asked}", expected, fix)


def _of_mlmodel(file: Path, path: str) -> Endpoint:
    file = file / "MLmodel" if file.is_dir() else file
    document = load_model(file, MlmodelFile, "MLmodel")
    try:
        return mlmodel.endpoint_of(document.model_dump(), path, file.name)
    except NotUnderstood as error:
        raise BadInput([Mistake("signature", error.got, error.expected, error.fix, file=str(file))]) from None


def _folders(path: str) -> Iterator[str]:
    """Where documents may be: beside the endpoint and in the folders above it, the deepest first, without a slash."""
    at = PurePosixPath("/" + path.strip("/"))
    for one in (at, *at.parents):
        yield str(one).rstrip("/")


def _prefix(document: Any, origin: str, folder: str) -> str:
    """What stands before the paths of a document: its server's path, unless it is another server."""
    servers = document.get("servers")
    first = servers[0].get("url") if isinstance(servers, list) and servers and isinstance(servers[0], dict) else None
    try:
        parts = urlsplit(first if isinstance(first, str) else "")
    except ValueError:
        return folder
    if parts.netloc and f"{parts.scheme}://{parts.netloc}" != origin:
        return folder
    return parts.path.rstrip("/") if parts.path.startswith("/") and parts.path != "/" else folder


def _json(answer: Answer) -> Any:
    """The JSON of an answer; None where it holds none."""
    try:
        return orjson.loads(answer.body) if answer.ok else None
    except ValueError:
        return None
