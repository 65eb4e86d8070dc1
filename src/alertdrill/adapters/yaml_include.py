"""`include:` in a scenario: fragments are written out as nodes, before any model sees the values."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from alertdrill.adapters.yaml_fragments import Fragment, Fragments, OutOfBounds, Place
from alertdrill.adapters.yaml_nodes import INCLUDE, MAX_DEPTH, MAX_NODES, Node
from alertdrill.core.scenario.finding import show

MAX_LEVELS = 10


def written_out(root: Node, fragments: Fragments) -> Node | None:
    """The tree of a scenario with every `include` in it replaced by what it names; None if that is out of bounds.

    A mapping takes over the keys of the fragment that it does not write itself; where both have a mapping under a key,
    these are merged alike; of several fragments the earlier wins. An entry of a list that is nothing but an include
    becomes the fragment, or the fragment's entries if that is a list. Mappings are `partial` where a fragment cannot
    be had; `fragments` then has the mistake.
    """
    try:
        return _Writer(fragments).node(root, Place(fragments.main.source, (), 0))
    except OutOfBounds:
        return None


@dataclass
class _Open:
    """A file that is being written out, and how many levels of files it has, itself included."""

    fragment: Fragment
    levels: int = 1


class _Included(NamedTuple):
    """A name after `include`, its place, and the tree that it stands for, None if that cannot be had."""

    name: Node
    place: Place
    tree: Node | None


class _Writer:
    def __init__(self, fragments: Fragments) -> None:
        self._fragments = fragments
        self._open = [_Open(fragments.main)]
        self._done: dict[str, tuple[Node, int]] = {}

    def node(self, node: Node, place: Place) -> Node:
        """The node with everything in it written out."""
        if not node.includes:
            return node
        return self._list(node, place) if isinstance(node.value, list) else self._mapping(node, place)

    def _list(self, node: Node, place: Place) -> Node:
        whole = Node(node.spot, [])
        for position, child in enumerate(node.value):
            for entry in self._entries(child, place.into(position)):
                whole.value.append(entry)
                self._grow(whole, entry, child, place)
        return whole

    def _mapping(self, node: Node, place: Place) -> Node:
        whole = Node(node.spot, {}, keys={key: spot for key, spot in node.keys.items() if key != INCLUDE})
        for key, child in node.value.items():
            if key != INCLUDE:
                whole.value[key] = self.node(child, place.into(key))
                self._grow(whole, whole.value[key], child, place)
        return self._merged(whole, self._included(node, place))

    def _entries(self, entry: Node, place: Place) -> list[Node]:
        """What an entry of a list becomes."""
        if not isinstance(entry.value, dict) or set(entry.value) != {INCLUDE}:
            return [self.node(entry, place)]
        found = list(self._included(entry, place))
        lists = [one.tree.value for one in found if one.tree is not None and isinstance(one.tree.value, list)]
        if len(lists) == len(found):
            return [spliced for entries in lists for spliced in entries]
        return [self._merged(Node(entry.spot, {}), found)]

    def _merged(self, own: Node, found: Iterable[_Included]) -> Node:
        """A mapping with the keys of fragments; one that is named again adds nothing."""
        merged: set[int] = set()
        for name, place, tree in found:
            if id(tree) in merged:
                continue
            if tree is not None and isinstance(tree.value, dict):
                own = _merge(own, tree)
                merged.add(id(tree))
                self._check(own, name, place)
                continue
            own = replace(own, partial=True)
            if tree is not None:
                fix = "include a list as an entry of a list, and without other keys"
                got = f"{show(name.value)}, which is a list"
                self._fragments.refuse(name, place, "a file with a mapping of keys", fix, got)
        return own

    def _included(self, node: Node, place: Place) -> Iterator[_Included]:
        """What a mapping includes, in order."""
        named = node.value.get(INCLUDE)
        if named is None:
            return
        here = place.named(INCLUDE)
        several = isinstance(named.value, list) and bool(named.value)
        for position, name in enumerate(named.value if several else [named]):
            at = here.named(position) if several else here
            yield _Included(name, at, self._tree(name, at))

    def _tree(self, name: Node, place: Place) -> Node | None:
        """A fragment with its own includes written out."""
        fragment = self._fragments.fragment(name, place)
        if fragment is None or self._leads_back(fragment, name, place):
            return None
        tree, levels = self._done.get(fragment.identity, (fragment.root, 1))
        if len(self._open) + levels - 1 > MAX_LEVELS:
            got = f"{show(name.value)}, level {len(self._open) + levels - 1}"
            expected = f"at most {MAX_LEVELS} levels of files that include each other"
            self._fragments.refuse(name, place, expected, "include it from a file further up", got)
            return None
        self._check(tree, name, place)
        if fragment.identity not in self._done:
            self._open.append(_Open(fragment))
            tree = self.node(fragment.root, Place(fragment.source, (), place.depth))
            levels = self._open.pop().levels
            self._done[fragment.identity] = tree, levels
            self._check(tree, name, place)
        self._open[-1].levels = max(self._open[-1].levels, levels + 1)
        return tree

    def _leads_back(self, fragment: Fragment, name: Node, place: Place) -> bool:
        chain = [one.fragment for one in self._open]
        if fragment not in chain:
            return False
        names = [one.source.file for one in [*chain[chain.index(fragment) :], fragment]]
        got = f"{show(name.value)}, which leads back to itself ({' → '.join(names)})"
        self._fragments.refuse(name, place, "files that end", "remove one of these includes", got)
        return True

    def _grow(self, whole: Node, child: Node, origin: Node, place: Place) -> None:
        whole.size += child.size
        whole.height = max(whole.height, child.height + 1)
        self._check(whole, origin, place)

    def _check(self, tree: Node, name: Node, place: Place) -> None:
        """Stop if a tree is too large, or too deep for its place; of a list only the entries come to stand there."""
        if tree.size > MAX_NODES:
            got = "too many values, with its fragments"
            self._fragments.stop(name, place, got, f"at most {MAX_NODES}", "include less")
        if place.depth + tree.height - isinstance(tree.value, list) > MAX_DEPTH:
            expected = f"at most {MAX_DEPTH} levels"
            self._fragments.stop(name, place, "too much nesting, with its fragments", expected, "include less")


def _merge(over: Node, under: Node) -> Node:
    """The keys of two mappings; of those that both have, `over`'s, unless both values are mappings again."""
    partial = over.partial or under.partial
    if not over.value:
        return replace(under, partial=True) if partial else under
    value, keys = under.value | over.value, under.keys | over.keys
    for key in under.value.keys() & over.value.keys():
        mine, theirs = over.value[key], under.value[key]
        if isinstance(mine.value, dict) and isinstance(theirs.value, dict):
            value[key] = _merge(mine, theirs)
    size = 1 + sum(child.size for child in value.values())
    height = 1 + max(child.height for child in value.values())
    return Node(over.spot, value, keys=keys, size=size, height=height, partial=partial)
