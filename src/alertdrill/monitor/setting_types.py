"""Types of settings: how the text of an option, or the value of a keyword argument, is read and checked."""

import re
from collections.abc import Iterable
from typing import Annotated, Any

import orjson
from pydantic import BeforeValidator

from alertdrill.monitor.durations import seconds
from alertdrill.monitor.sources import Source, parse_source
from alertdrill.protocols.catalogue import ProtocolSpec
from alertdrill.protocols.pointer import parts_of


def _pointer(value: Any) -> Any:
    if isinstance(value, str):
        parts_of(value)
    return value


def _parts(value: Any) -> Any:
    """The members of a list: an option may be repeated, and each time hold several, separated by commas."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, Iterable):
        return value
    return tuple(
        part.strip() if isinstance(part, str) else part
        for text in texts
        for part in (text.split(",") if isinstance(text, str) else [text])
        if part
    )


def _whole(value: Any) -> Any:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


def _seconds(value: Any) -> Any:
    return seconds(value) if isinstance(value, str) else value


def _source(value: Any) -> Any:
    return parse_source(value) if isinstance(value, str) else value


def _window(value: Any) -> Any:
    return (value.strip(), seconds(value)) if isinstance(value, str) else value


def _address(value: str) -> str:
    if not re.fullmatch(r"[!-~]+@[!-~]+", value) or any(sign in value for sign in '<>,;:"()[]'):
        raise ValueError(f"got {value!r}, expected an e-mail address; fix: write for example ml-team@example.com")
    return value


def _one_line(value: str) -> str:
    if not value.isprintable() or not value:
        raise ValueError(f"got {value!r}, expected one line of text; fix: leave out what cannot be printed")
    return value


def _page(value: str) -> str:
    if value and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", value):
        what = f"got {value!r}, expected a path such as /monitor: what the model has at / stays the model's"
        raise ValueError(f"{what}; fix: write /monitor, or nothing for no page")
    return value


def _protocol(value: Any) -> Any:
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return value
    try:
        return orjson.loads(value)
    except ValueError as error:
        raise ValueError(f'got {value!r}, {error}; fix: write JSON such as {{"kind": "oip_v2"}}') from None


Pointer = Annotated[str, BeforeValidator(_pointer)]
Spoken = Annotated[ProtocolSpec, BeforeValidator(_protocol)]
Names = Annotated[tuple[str, ...], BeforeValidator(_parts)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_whole)]
"""A list whose members may hold commas: the option is repeated for each."""

Duration = Annotated[float, BeforeValidator(_seconds)]
PagePath = Annotated[str, BeforeValidator(lambda value: _page(value) if isinstance(value, str) else value)]
Where = Annotated[Source, BeforeValidator(_source)]
Window = Annotated[tuple[str, float], BeforeValidator(_window)]
Windows = Annotated[tuple[Window, ...], BeforeValidator(_parts)]
Line = Annotated[str, BeforeValidator(lambda value: _one_line(value) if isinstance(value, str) else value)]
Address = Annotated[str, BeforeValidator(lambda value: _address(value) if isinstance(value, str) else value)]
Addresses = Annotated[tuple[Address, ...], BeforeValidator(_parts)]


def written(text: Any) -> Any:
    """A default as an option would have it, which is how `--help` shows it."""
    return text
