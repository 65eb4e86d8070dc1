"""The files that `include` names: each is found, opened and read once, within bounds over all of them."""

import os
from pathlib import Path as FilePath
from typing import NamedTuple, NoReturn

from alertdrill.adapters.yaml_nodes import MAX_NODES, Duplicate, Node, NotYaml, Path, compose
from alertdrill.adapters.yaml_source import NotOpened, Source, is_name, nearest_file, read_text
from alertdrill.core.errors import SHOWN_MISTAKES, BadInput, Mistake
from alertdrill.core.scenario.finding import path_text, show
from alertdrill.core.scenario.reading import MAX_FINDINGS

MAX_FILES = 100


class OutOfBounds(Exception):
    """There is too much to read on; the mistake has been noted."""


class Place(NamedTuple):
    """Where something stands: in which file, at which path of it, and under how many nodes of the whole tree."""

    source: Source
    path: Path
    depth: int

    def into(self, key: str | int) -> "Place":
        """The place of a child."""
        return Place(self.source, (*self.path, key), self.depth + 1)

    def named(self, key: str | int) -> "Place":
        """The place of the name of a fragment, which takes the place of the mapping that names it."""
        return self.into(key)._replace(depth=self.depth)


class Fragment(NamedTuple):
    """One file as it was read: what tells it from others, its text, and its tree."""

    identity: str
    source: Source
    root: Node


class Fragments:
    """The files of one scenario.

    Attributes:
        sources: all that were read by their name in mistakes, the scenario first.
        mistakes: of the names, and of files that cannot be read.
        duplicates: keys that are twice in a mapping of a fragment.
    """

    def __init__(self, main: Source, root: Node) -> None:
        self.sources = {main.file: main}
        self.mistakes: list[Mistake] = []
        self.duplicates: list[Duplicate] = []
        self.main = Fragment(_identity(main.path), main, root)
        self._identities: dict[FilePath, str] = {}
        self._read: dict[str, Fragment | None] = {self.main.identity: self.main}
        self._bytes = len(main.text.encode())
        self._nodes = root.size

    def fragment(self, name: Node, place: Place) -> Fragment | None:
        """The file that is named at a place; None, and a mistake is noted, if it cannot be had.

        Raises:
            OutOfBounds: there are too many files, or too many values in them.
        """
        if not self._is_file_name(name, place):
            return None
        path = place.source.path.parent / name.value
        identity = self._identities.get(path) or _identity(path)
        self._identities[path] = identity
        if identity not in self._read:
            if len(self._read) > MAX_FILES:
                got, expected = f"{show(name.value)}, one more file", f"at most {MAX_FILES} files in all"
                self.stop(name, place, got, expected, "join some")
            try:
                self._read[identity] = self._composed(identity, self._opened(name, place, path), name, place)
            except NotOpened as error:
                self._refuse_missing(name, place, path, error)
                return None
            except BadInput as error:
                self.mistakes += error.mistakes
                self._read[identity] = None
        return self._read[identity]

    def refuse(self, name: Node, place: Place, expected: str, fix: str, got: str | None = None) -> None:
        """Note a mistake at the name of a fragment.

        Raises:
            OutOfBounds: there are more mistakes than anybody would read.
        """
        if len(self.mistakes) >= MAX_FINDINGS:
            raise OutOfBounds
        where = path_text(place.path)
        self.mistakes.append(place.source.mistake(where, name.spot, got or show(name.plain()), expected, fix))

    def stop(self, name: Node, place: Place, got: str, expected: str, fix: str) -> NoReturn:
        """Note a mistake after which nothing more is read."""
        self.refuse(name, place, expected, fix, got)
        raise OutOfBounds

    def _is_file_name(self, name: Node, place: Place) -> bool:
        text = name.value
        if isinstance(text, str) and is_name(text) and "://" not in text:
            return True
        if isinstance(text, str) and "://" in text:
            self.refuse(name, place, "a file of this machine", "save it beside this file, and write its name")
        else:
            self.refuse(name, place, "the name of a file, or a list of names", "write it like include: phases.yaml")
        return False

    def _opened(self, name: Node, place: Place, path: FilePath) -> Source:
        text = read_text(path, self._bytes)
        self._bytes += len(text.encode())
        return Source(path, text, (place.source.base / name.value).parent)

    def _refuse_missing(self, name: Node, place: Place, path: FilePath, error: NotOpened) -> None:
        close = nearest_file(path) if error.missing and len(self.mistakes) < SHOWN_MISTAKES else None
        fix = "check the path: it is relative to this file" if error.missing else "name a file that can be read"
        if close:
            fix = f"write {os.path.join(os.path.dirname(name.value), close)}"
        self.refuse(name, place, "a YAML file", fix, f"{show(name.value)} ({error.got})")

    def _composed(self, identity: str, source: Source, name: Node, place: Place) -> Fragment | None:
        self.sources[source.file] = source
        try:
            root, duplicates = compose(source.text, source.file)
        except NotYaml as error:
            self.mistakes.append(source.mistake("", error.spot, error.got, error.expected, error.fix))
            return None
        self.duplicates += duplicates
        if root is None:
            got = f"{show(name.value)}, which is empty"
            self.refuse(name, place, "a file with keys or entries", "fill it, or remove the include", got)
            return None
        if not isinstance(root.value, dict | list):
            fix = "write keys (key: value) or entries (- …)"
            self.mistakes.append(source.mistake("", root.spot, show(root.plain()), "a mapping or a list", fix))
            return None
        self._nodes += root.size
        if self._nodes > MAX_NODES:
            self.stop(name, place, "too many values, with its fragments", f"at most {MAX_NODES}", "include less")
        return Fragment(identity, source, root)


def _identity(path: FilePath) -> str:
    return os.path.join(os.path.realpath(path.parent), path.name)
