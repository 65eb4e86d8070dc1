"""YAML text as a tree of nodes that know their lines: YAML 1.2 core scalars, no objects built by tags, all bounded."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import yaml

MAX_DEPTH = 30
MAX_NODES = 20_000
INCLUDE = "include"

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAGS = "tag:yaml.org,2002:"
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")

_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}

Path = tuple[str | int, ...]


class Spot(NamedTuple):
    """A line and a column, both from 1, and the file that they are in, as mistakes name it."""

    line: int
    column: int
    file: str = ""


class NotYaml(Exception):
    """The text is no YAML that we read; what was found at `spot`, what was expected, and how to mend it."""

    def __init__(self, spot: Spot, got: str, expected: str, fix: str) -> None:
        super().__init__(got)
        self.spot, self.got, self.expected, self.fix = spot, got, expected, fix


@dataclass(slots=True)
class Node:
    """A value and its place.

    Attributes:
        spot: where it starts; an alias has the place of its anchor.
        value: a scalar (str, int, float, bool, None), a list of nodes, or nodes by key.
        text: a scalar as it was written, without its quotes.
        keys: by key, where the key stands.
        size: number of nodes with aliases written out, itself included.
        height: levels of nesting, 1 for a scalar.
        includes: whether it is or holds a mapping with the key `include`.
        partial: whether a fragment that this mapping includes could not be read, so that keys of it may be missing.
        literal: whether it is a text written line by line after `|`, whose lines are lines of the file.
    """

    spot: Spot
    value: Any
    text: str = ""
    keys: dict[str, Spot] = field(default_factory=dict)
    size: int = 1
    height: int = 1
    includes: bool = False
    partial: bool = False
    literal: bool = False

    def plain(self) -> Any:
        """The value as lists, dicts and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        return [node.plain() for node in self.value] if isinstance(self.value, list) else self.value

    def child(self, key: str | int) -> "Node | None":
        """The node under a key or at a position of a list."""
        if isinstance(self.value, dict):
            return self.value.get(key)
        inside = isinstance(self.value, list) and isinstance(key, int) and key < len(self.value)
        return self.value[key] if inside else None


class Duplicate(NamedTuple):
    """A key that its mapping already has."""

    path: Path
    spot: Spot
    first: Spot


def split_lines(text: str) -> list[str]:
    """The lines of a YAML text, without line ends."""
    return _BREAK.split(text)


def resolve(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar in YAML 1.2's core schema (section 10.3.2): NO and 1:30 are text, 0o14 is 12."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text) if len(text) <= 40 else float(text)
    if _BASED.fullmatch(text):
        return int(text, 0) if len(text) <= 40 else text
    return float(text) if _FLOAT.fullmatch(text) else text


def compose(text: str, file: str = "") -> tuple[Node | None, list[Duplicate]]:
    """The tree of the text's only document, None if it is empty, and its duplicate keys (the first one counts).

    `file` is what the spots of the nodes call the file.

    Raises:
        NotYaml: the text cannot be read, or is nested or multiplied beyond all reason.
    """
    composer = _composed(_Composer(file, one_document=True), text)
    return next(iter(composer.roots), None), composer.duplicates


def compose_all(text: str, file: str = "", max_nodes: int = MAX_NODES) -> tuple[list[Node], list[Duplicate]]:
    """The trees of all documents of a text, and their duplicate keys, the paths of which start in their document.

    `file` is what the spots of the nodes call the file; `max_nodes` bounds the whole text.

    Raises:
        NotYaml: the text cannot be read, or is nested or multiplied beyond all reason.
    """
    composer = _composed(_Composer(file, one_document=False, max_nodes=max_nodes), text)
    return composer.roots, composer.duplicates


def _composed(composer: "_Composer", text: str) -> "_Composer":
    control = _CONTROL.search(text)
    if control:
        before = split_lines(text[: control.start()])
        got, spot = (
            f"the control character U+{ord(control[0]):04X}",
            Spot(len(before), len(before[-1]) + 1, composer.file),
        )
        raise NotYaml(spot, got, "text", "remove it; is this a YAML file?")
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            composer.take(event)
    except yaml.YAMLError as error:
        _refuse(error, composer.file)
    return composer


def _refuse(error: yaml.YAMLError, file: str) -> NoReturn:
    spot, problem = Spot(1, 1, file), "characters that are no text"
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        spot = Spot(mark.line + 1, mark.column + 1, file) if mark else spot
        problem = str(error.problem or error.context)
    fix = "check indentation, quotes and brackets on this line and above it"
    if "cannot start any token" in problem or "tab" in problem:
        fix = "indent with blanks, never tabs; put text that starts with @, ` or % in quotes"
    elif "mapping values are not allowed" in problem:
        fix = 'check the indentation; put text that holds ": " in quotes'
    raise NotYaml(spot, f"what YAML cannot read ({problem})", "YAML", fix) from None


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is still open; `key` is the key whose value comes next."""

    node: Node
    anchor: str | None
    key: str | None = None
    duplicate: bool = False


class _Composer:
    """Builds nodes from parser events, without recursion: deep nesting costs a message, not the stack."""

    def __init__(self, file: str, one_document: bool, max_nodes: int = MAX_NODES) -> None:
        self.file = file
        self.roots: list[Node] = []
        self.duplicates: list[Duplicate] = []
        self._one_document = one_document
        self._max_nodes = max_nodes
        self._open: list[_Frame] = []
        self._anchors: dict[str, Node] = {}
        self._built = 0

    def take(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._start(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            frame = self._open.pop()
            self._close(event, frame)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._anchors.clear()
            if self._one_document and self.roots:
                self._stop(event, "a second document", "one document a file", "remove the line ---, or make two files")

    def _spot(self, event: Any) -> Spot:
        return Spot(event.start_mark.line + 1, event.start_mark.column + 1, self.file)

    def _stop(self, event: Any, got: str, expected: str, fix: str) -> NoReturn:
        raise NotYaml(self._spot(event), got, expected, fix)

    def _takes_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].node.value, dict) and self._open[-1].key is None

    def _check_tag(self, event: Any, allowed: tuple[str, ...]) -> None:
        if event.tag is not None and event.tag not in ("!", *(_TAGS + tag for tag in allowed)):
            tag = str(event.tag).replace(_TAGS, "!!")[:60]
            self._stop(event, f"the tag {tag}", "plain values", "remove the tag: no objects are built")

    def _scalar(self, event: Any) -> None:
        self._check_tag(event, ("str",))
        if self._takes_key():
            self._key(event)
            return
        plain = event.implicit[0] and not event.style
        self._count(event)
        value = resolve(event.value) if plain else event.value
        node = Node(self._spot(event), value, text=event.value, literal=event.style == "|")
        if event.anchor:
            self._anchors[event.anchor] = node
        self._put(event, node)

    def _key(self, event: Any) -> None:
        frame, spot = self._open[-1], self._spot(event)
        frame.key, frame.duplicate = event.value, event.value in frame.node.keys
        if frame.duplicate:
            self.duplicates.append(Duplicate(tuple(self._path()), spot, frame.node.keys[event.value]))
        frame.node.keys.setdefault(event.value, spot)
        frame.node.includes = frame.node.includes or event.value == INCLUDE

    def _path(self) -> Iterator[str | int]:
        for frame in self._open:
            yield len(frame.node.value) if frame.key is None else frame.key

    def _start(self, event: Any) -> None:
        mapping = isinstance(event, yaml.MappingStartEvent)
        self._check_tag(event, ("map",) if mapping else ("seq",))
        if self._takes_key():
            self._stop(event, "a mapping or list as a key", "text as a key", "put the key in quotes")
        if len(self._open) >= MAX_DEPTH:
            self._too_deep(event)
        self._count(event)
        self._open.append(_Frame(Node(self._spot(event), {} if mapping else []), event.anchor))

    def _too_deep(self, event: Any) -> NoReturn:
        self._stop(event, "too much nesting", f"at most {MAX_DEPTH} levels", "close the brackets that are still open")

    def _close(self, event: Any, frame: _Frame) -> None:
        if frame.anchor:
            # Known only from here on, so that no node can contain itself.
            self._anchors[frame.anchor] = frame.node
        self._put(event, frame.node)

    def _alias(self, event: Any) -> None:
        name, node = event.anchor[:60], self._anchors.get(event.anchor)
        if self._takes_key():
            self._stop(event, f"the alias *{name} as a key", "text as a key", "write the key out")
        if any(frame.anchor == event.anchor for frame in self._open):
            self._stop(event, f"the alias *{name} inside of &{name}", "values that end", "write the value out")
        if node is None:
            self._stop(event, f"the alias *{name}", f"an anchor &{name} above it", "write the value out")
        self._count(event)
        self._put(event, node)

    def _count(self, event: Any) -> None:
        """Count the nodes of lists that are still open too: their sizes are added up only when they are closed."""
        self._built += 1
        if self._built > self._max_nodes:
            self._stop(event, "too many values", f"at most {self._max_nodes}", "is this the right file?")

    def _put(self, event: Any, node: Node) -> None:
        """Hang a finished node into the innermost open mapping or list."""
        if not self._open:
            self.roots.append(node)
            return
        frame = self._open[-1]
        parent = frame.node
        if isinstance(parent.value, list):
            parent.value.append(node)
        elif not frame.duplicate:
            parent.value[frame.key] = node
        frame.key = None
        parent.size += node.size
        parent.height = max(parent.height, node.height + 1)
        parent.includes = parent.includes or node.includes
        if len(self._open) + node.height > MAX_DEPTH:
            self._too_deep(event)
        if parent.size > self._max_nodes:
            too_many = "too many values (aliases written out)"
            self._stop(event, too_many, f"at most {self._max_nodes}", "use fewer aliases")
