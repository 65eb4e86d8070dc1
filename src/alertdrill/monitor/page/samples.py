"""The metrics as a tree of JSON, from their text: what the page shows is what Prometheus scrapes, number by number.

`m_total{model="a",version="1",code="200"} 3` becomes `{"m_total": {"labels": ["version", "code"], "values": {"1":
{"200": 3.0}}}}`. The label `model` is left out: one process has one.
"""

import re
from collections.abc import Iterator
from typing import Any

LEFT_OUT = "model"
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")

Tree = dict[str, dict[str, Any]]


class Samples:
    """Reads one text after another of the same process.

    Most series are the same each time, and most numbers too: a line that stayed costs a comparison, one whose number
    changed an assignment, and only a series that came or went has the tree built anew.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._places: dict[str, tuple[dict[str, Any], str]] = {}  # of what stands before a number
        self._tree: Tree = {}

    def tree(self, text: str) -> Tree:
        """The tree of a whole text, valid until the next call. It may hold NaN and infinity, which JSON does not."""
        lines = text.split("\n")
        if len(lines) != len(self._lines) or not self._renew(lines):
            self._build(lines)
        self._lines = lines
        return self._tree

    def _renew(self, lines: list[str]) -> bool:
        """Whether the series are those of the last text; if so, they have their new numbers."""
        for line, before in zip(lines, self._lines, strict=True):
            if line != before:
                key, _, number = line.rpartition(" ")
                place = self._places.get(key)
                if place is None:
                    return False
                place[0][place[1]] = float(number)
        return True

    def _build(self, lines: list[str]) -> None:
        self._places, self._tree = {}, {}
        for line in lines:
            if line and line[0] != "#":
                key, _, number = line.rpartition(" ")
                node, last = self._places[key] = self._place(*parse(key))
                node[last] = float(number)

    def _place(self, name: str, labels: list[str], values: list[str]) -> tuple[dict[str, Any], str]:
        node = self._tree.get(name)
        if node is None:
            node = self._tree[name] = {"labels": labels, "values": {}}
        last = "values"
        for value in values:
            node, last = node.setdefault(last, {}), value
        return node, last


def parse(key: str) -> tuple[str, list[str], list[str]]:
    """Name, labels and their values of what stands before a number, as `exposition.key` writes it."""
    name, _, inside = key.partition("{")
    labels, values = list[str](), list[str]()
    for label, value in _escaped_pairs(inside) if "\\" in inside else _pairs(inside):
        if label != LEFT_OUT:
            labels.append(label)
            values.append(value)
    return name, labels, values


def _pairs(inside: str) -> Iterator[tuple[str, str]]:
    for one in inside[:-2].split('",') if inside else ():
        label, _, value = one.partition('="')
        yield label, value


def _escaped_pairs(inside: str) -> Iterator[tuple[str, str]]:
    for label, value in _LABEL.findall(inside):
        yield label, _ESCAPED.sub(_unescaped, value)


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]
