"""The members of a JSON object as they are written: found without decoding any value, and joined again.

Values may be bytes that are no JSON, such as NaN. What an earlier fault left without an object has no members.
"""

import re
from collections.abc import Mapping

_STRING = rb'"(?:[^"\\]|\\.)*"'
_MARK = re.compile(_STRING + rb"|[\[\]{},]", re.DOTALL)
_NAME = re.compile(rb"\s*(" + _STRING + rb")\s*:", re.DOTALL)

Member = tuple[bytes, bytes]
"""Name and value as they are written, the name in its quotes."""


def split(data: bytes) -> list[Member] | None:
    """The members of the object that `data` is, in order; None if it is none."""
    inner = _inner(data)
    if not inner:
        return None if inner is None else []
    parts = elements(inner)
    names = [_NAME.match(part) for part in parts]
    members = [(name[1], part[name.end() :].strip()) for name, part in zip(names, parts, strict=True) if name]
    return members if len(members) == len(parts) else None


def elements(inner: bytes) -> list[bytes]:
    """What stands between the commas that are neither in a string nor in a nested value."""
    depth, begin, parts = 0, 0, []
    for mark in _MARK.finditer(inner):
        if mark[0] in (b"[", b"{"):
            depth += 1
        elif mark[0] in (b"]", b"}"):
            depth -= 1
        elif mark[0] == b"," and depth == 0:
            parts.append(inner[begin : mark.start()])
            begin = mark.end()
    return [*parts, inner[begin:]]


def join(members: list[Member]) -> bytes:
    """The object with these members."""
    return b"{" + b",".join(name + b":" + value for name, value in members) + b"}"


def replaced(data: bytes, values: Mapping[bytes, bytes | None]) -> bytes:
    """The object `data` with other values, all else byte for byte; it must have members.

    Args:
        data: the object.
        values: by name, in its quotes as it is written, what comes in place of a value, or as a new member at the end;
            None: the member is taken out.
    """
    begin, end = data.index(b"{") + 1, data.rindex(b"}")
    parts, left = [], dict(values)
    for part in elements(data[begin:end]):
        name = _NAME.match(part)
        if name is None or name[1] not in left:
            parts.append(part)
        elif (value := left.pop(name[1])) is not None:
            text = part[name.end() :]
            front, back = len(text) - len(text.lstrip()), len(text.rstrip())
            parts.append(part[: name.end()] + text[:front] + value + text[back:])
    parts += [name + b":" + value for name, value in left.items() if value is not None]
    return data[:begin] + b",".join(parts) + data[end:]


def added(data: bytes, *more: Member) -> bytes:
    """The object `data` with more members at its end; as it is if it has no braces around it."""
    inner = _inner(data)
    if inner is None:
        return data
    return b"{" + inner + (b"," if inner else b"") + join(list(more))[1:]


def _inner(data: bytes) -> bytes | None:
    """What stands between the braces of an object, without the blanks around it; None without braces."""
    text = data.strip()
    if len(text) < 2 or not (text.startswith(b"{") and text.endswith(b"}")):
        return None
    return text[1:-1].strip()
