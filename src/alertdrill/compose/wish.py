"""What `alertdrill init` is told on its command line, and everything that is wrong with it."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from alertdrill.adapters.access import Access
from alertdrill.adapters.reference_file import read_reference
from alertdrill.adapters.secret import NoSecret, SecretAt, secret_at
from alertdrill.adapters.yaml_nodes import NotYaml, compose
from alertdrill.core.collected import collected
from alertdrill.core.errors import BadInput, BadValue, Mistake
from alertdrill.core.joining import starter
from alertdrill.core.joining.joined import Reference
from alertdrill.core.scenario import FromEnvironment, ServerTls, is_loopback
from alertdrill.core.scenario.reading import read_model
from alertdrill.core.scenario.target import check_header, check_url
from alertdrill.protocols.base import Protocol
from alertdrill.protocols.catalogue import ProtocolSpec
from alertdrill.tls import BadTlsFile, TlsSettings

FROM_ENVIRONMENT = "env:"


@dataclass(frozen=True)
class Wish:
    """What the command line says.

    Attributes:
        url: of the model server, or of its endpoint.
        out: folder to write to.
        reference: rows of the model.
        headers: NAME=VALUE, or NAME=env:VARIABLE.
        tls: KEY=VALUE, as a scenario has them under target.tls.
        protocol: name of a protocol, or a mapping with options.
        mlmodel: MLmodel file, or the folder that it is in.
        prometheus: address of the Prometheus that watches the model.
        label: column of the reference with the true label.
        drop: columns that are no features.
        allow_hosts: hosts other than this machine that may be loaded and broken.
        confirm: whether to ask for a prediction.
        overwrite: whether files that are there may be replaced.
    """

    url: str
    out: Path = Path()
    reference: Path | None = None
    headers: tuple[str, ...] = ()
    tls: tuple[str, ...] = ()
    protocol: str | None = None
    mlmodel: Path | None = None
    prometheus: str | None = None
    label: str | None = None
    drop: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    confirm: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class Ready:
    """What the command line says, looked at.

    Attributes:
        path: that the address names, from the root of the server; empty: none.
        access: the way to the server.
        reached: the same, as files have it.
        reference: rows of the model.
        protocol: that the user names.
    """

    wish: Wish
    path: str
    access: Access
    reached: starter.Reached
    reference: Reference
    protocol: Protocol | None


def ready(wish: Wish) -> Ready:
    """Everything that the command line says.

    Raises:
        BadInput: with everything that is wrong with it.
    """
    mistakes: list[Mistake] = [*_of_files(wish)]
    url = collected(mistakes, lambda: _url(wish))
    if wish.prometheus is not None:
        collected(mistakes, lambda: _address(wish.prometheus or "", "--prometheus"))
    protocol = collected(mistakes, lambda: _protocol(wish.protocol))
    headers = collected(mistakes, lambda: _headers(wish.headers))
    tls = collected(mistakes, lambda: _tls(wish))
    reference = None
    if wish.reference is None:
        fix = "give --reference FILE (.csv, .jsonl or .parquet): hundreds of normal rows, a column a feature"
        mistakes.append(Mistake("--reference", "nothing", "rows of the model, which the load draws from", fix))
    else:
        file = wish.reference
        reference = collected(mistakes, lambda: read_reference(file, wish.label, wish.drop))
    if mistakes or url is None or headers is None or tls is None or reference is None:
        raise BadInput(mistakes)
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    settings, written = tls
    access = Access(origin, "target", tls=settings, headers=headers)
    reached = starter.Reached(
        origin,
        () if is_loopback(parts.hostname or "") else (str(parts.hostname),),
        {name: value for name, value in headers.items() if isinstance(value, str)},
        _variables(wish.headers),
        written,
    )
    return Ready(wish, parts.path.rstrip("/"), access, reached, reference, protocol)


def _of_files(wish: Wish) -> Iterator[Mistake]:
    """Files that are there already, and nobody said that they may go."""
    names = (*starter.FILES, starter.OWN_RULES) if wish.prometheus is not None else starter.FILES
    there = [name for name in names if os.path.lexists(wish.out / name)]
    if there and not wish.overwrite:
        got = f"{', '.join(there)} in {wish.out.absolute().name or wish.out}"
        yield Mistake("--out", got, "a folder without these", "give --force to replace them, or another --out")
    if wish.out.exists() and not wish.out.is_dir():
        yield Mistake("--out", f"{wish.out}, a file", "a folder", "give another path")


def _url(wish: Wish) -> str:
    """The address, if the drill of its host is allowed."""
    url = _address(wish.url, "URL")
    host = (urlsplit(url).hostname or "").lower()
    if not is_loopback(host) and host not in {one.lower() for one in wish.allow_hosts}:
        fix = f"if you may load and break that host, give --allow-host {host}"
        raise BadInput([Mistake("URL", host, "this machine, or a host that --allow-host names", fix)])
    return url


def _address(url: str, where: str) -> str:
    """An http or https address without a password in it."""
    try:
        return check_url(url)
    except BadValue as error:
        got = error.got or ("an address" if error.hidden else repr(url))
        raise BadInput([Mistake(where, got, error.expected, error.fix)]) from None


class _Spec(BaseModel):
    protocol: ProtocolSpec


def _protocol(text: str | None) -> Protocol | None:
    """A protocol by its name, or as a mapping in YAML's flow style."""
    if text is None:
        return None
    try:
        node, _ = compose(text)
    except NotYaml as error:
        raise BadInput([Mistake("--protocol", error.got, error.expected, error.fix)]) from None
    found, findings = read_model({"protocol": node.plain() if node is not None else ""}, _Spec)
    if found is None:
        raise BadInput([Mistake("--protocol", one.got or repr(text), one.expected, one.fix) for one in findings])
    return found.protocol


def _headers(written: tuple[str, ...]) -> dict[str, str | SecretAt]:
    """Headers by name; those that the environment holds are read when they are sent."""
    found: dict[str, str | SecretAt] = {}
    for one in written:
        name, equals, value = one.partition("=")
        try:
            if not equals:
                raise BadValue("NAME=VALUE, or NAME=env:VARIABLE", "write it like Authorization=env:TOKEN")
            check_header(name, "" if value.startswith(FROM_ENVIRONMENT) else value)
            if value.startswith(FROM_ENVIRONMENT):
                found[name] = secret_at(FromEnvironment(env=value.removeprefix(FROM_ENVIRONMENT)), Path())
                found[name].read()  # type: ignore[union-attr]
            else:
                found[name] = value
        except BadValue as error:
            raise BadInput([Mistake("--header", _shown(name), error.expected, error.fix)]) from None
        except NoSecret as error:
            raise BadInput([Mistake("--header", error.got, error.expected, error.fix)]) from None
        except ValueError:
            fix = "write it like Authorization=env:TOKEN, and set TOKEN"
            raise BadInput([Mistake("--header", name, "the name of an environment variable after env:", fix)]) from None
    return found


def _shown(name: str) -> str:
    """A header's name up to what cannot be part of one: in `Authorization: Bearer …` a secret follows."""
    return re.match(r"[\w-]*", name, re.ASCII)[0] or "no name"  # type: ignore[index]


def _variables(written: tuple[str, ...]) -> dict[str, str]:
    """The variables that hold the values of headers, by the header's name."""
    parts = (one.partition("=") for one in written)
    return {name: at.removeprefix(FROM_ENVIRONMENT) for name, _, at in parts if at.startswith(FROM_ENVIRONMENT)}


def _tls(wish: Wish) -> tuple[TlsSettings, dict[str, Any]]:
    """How the server is trusted, for us, and as target.yaml says it, files seen from there."""
    values: dict[str, Any] = dict(one.partition("=")[::2] for one in wish.tls)
    if values.get("verify") in ("true", "false"):
        values["verify"] = values["verify"] == "true"
    found, findings = read_model(values, ServerTls)
    if found is None:
        raise BadInput([Mistake(f"--tls {one.path[-1]}", one.got or "that", one.expected, one.fix) for one in findings])
    files = {key: Path(values[key]).absolute() for key in ("ca", "cert", "key") if key in values}
    settings = TlsSettings(**files, verify=found.verify, server_name=found.server_name)
    try:
        settings.context()
    except BadTlsFile as error:
        raise BadInput([Mistake(f"--tls {error.which}", error.got, error.expected, error.fix)]) from None
    return settings, values | {key: os.path.relpath(file, wish.out.absolute()) for key, file in files.items()}
