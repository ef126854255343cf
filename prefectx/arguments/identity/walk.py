"""The walk: takes a value apart, and makes one digest of all its parts, in linear time."""

from __future__ import annotations

import marshal
from collections.abc import Iterator
from typing import Any

from xxhash import xxh3_128_digest

from prefectx.arguments.identity.form import ATOMS, Form, Maker, Unidentifiable
from prefectx.arguments.identity.makers import maker_of
from prefectx.arguments.identity.places import Folders, canonical_place

# Of all versions of marshal the newest that knows neither references nor interned strings: equal
# values have equal bytes. It has not changed since Python 2.5.
_FORMAT = 2
_LONGEST = 2**31 - 1
# Nothing that people write is nested so deeply: an object makes new parts without end.
_DEEPEST = 200_000
_MOST_ROUNDS = 64


class _Node:
    """A value on the walk, of which a part is not finished.

    Attributes:
        value: the value.
        form: what identifies it.
        children: those of its parts that are no atoms.
        index: when it was entered, counting from 0.
        low: the least index that is reached from it.
        is_loop: whether it is a part of itself.
    """

    __slots__ = ("children", "form", "index", "is_loop", "low", "value")

    def __init__(self, value: object, form: Form) -> None:
        self.value = value
        self.form = form
        self.children = [part for part in form.parts if type(part) not in ATOMS]
        self.index = self.low = -1
        self.is_loop = False


class Walk:
    """Makes the digest of one value.

    A value's digest is made of those of its parts, so that it does not matter which parts are
    shared. Values that refer to each other in a circle are found with Tarjan's algorithm and
    hashed together, their members numbered in the order of the walk.

    Parameters:
        folders: the folders whose paths count relative to them.

    Attributes:
        libraries: names and versions of the libraries that decide about parts of the value.
    """

    def __init__(self, folders: Folders) -> None:
        self.libraries: set[str] = set()
        self._folders = folders
        self._makers: dict[type, Maker] = {}
        self._nodes: dict[int, _Node] = {}
        # By the id of a value what stands for it: its digest, or its number in a circle.
        self._known: dict[int, bytes | int] = {}
        # Keeps the ids of the values.
        self._kept: list[object] = []
        self._open: list[_Node] = []
        self._count = 0
        self._has_circle = self._has_unordered = False

    def digest(self, value: object) -> bytes:
        """Return 16 bytes that stand for the value.

        Raises:
            Unidentifiable: a part of the value has no identity.
        """
        if type(value) in ATOMS:
            return xxh3_128_digest(_dump(value))
        root = self._enter(value)
        if root is not None:
            self._visit(root)
            if self._has_circle and self._has_unordered:
                self._order_sets()
                self._visit(root)
        digest = self._known[id(value)]
        assert isinstance(digest, bytes)
        return digest

    def _enter(self, value: object) -> _Node | None:
        """Return the node of a new value, None if all its parts are atoms: it is finished."""
        form = value if type(value) is Form else self._form(value)
        self._kept.append(value)
        if ATOMS.issuperset(map(type, form.parts)):
            self._known[id(value)] = xxh3_128_digest(self._encode(form))
            return None
        node = self._nodes[id(value)] = _Node(value, form)
        self._has_unordered |= form.is_unordered and len(node.children) > 1
        return node

    def _form(self, value: object) -> Form:
        kind = type(value)
        maker = self._makers.get(kind)
        if maker is None:
            maker = self._makers[kind] = maker_of(kind)
        try:
            form = maker(value)
        except Unidentifiable:
            raise
        except Exception as error:  # whatever an object's own methods raise
            raise Unidentifiable(value, f"{type(error).__name__}: {error}") from error
        if form.library is not None:
            self.libraries.add(form.library)
            return Form(form.tag, (form.library, *form.parts), form.is_unordered)
        if form.place is not None:
            return Form(form.tag, (*canonical_place(form.place, self._folders), *form.parts))
        return form

    def _visit(self, root: _Node) -> None:
        known, nodes = self._known, self._nodes
        path = [self._opened(root)]
        while path:
            node, rest = path[-1]
            for part in rest:
                if id(part) in known:
                    continue
                child = nodes.get(id(part))
                if child is None:
                    try:
                        child = self._enter(part)
                    except Unidentifiable as error:
                        error.path = _shown(path, part)
                        raise
                    if child is None:
                        continue
                if child.index < 0:
                    path.append(self._opened(child))
                    break
                node.low = min(node.low, child.index)
                node.is_loop |= child is node
                self._has_circle = True
            else:
                path.pop()
                if path:
                    parent = path[-1][0]
                    parent.low = min(parent.low, node.low)
                if node.low == node.index:
                    self._close(node)
            if len(path) > _DEEPEST:
                raise Unidentifiable(root.value, "it is nested too deeply")

    def _opened(self, node: _Node) -> tuple[_Node, Iterator[object]]:
        node.index = node.low = self._count
        self._count += 1
        self._open.append(node)
        return node, iter(node.children)

    def _close(self, first: _Node) -> None:
        """Finish the nodes from `first` on: one, or a circle of several."""
        members = [self._open.pop()]
        while members[-1] is not first:
            members.append(self._open.pop())
        if len(members) == 1 and not first.is_loop:
            self._known[id(first.value)] = xxh3_128_digest(self._encode(first.form))
            return
        members.reverse()
        for number, member in enumerate(members):
            self._known[id(member.value)] = number
        whole = xxh3_128_digest(_dump(tuple(self._encode(member.form) for member in members)))
        for number, member in enumerate(members):
            self._known[id(member.value)] = xxh3_128_digest(_dump((whole, number)))

    def _encode(self, form: Form) -> bytes:
        tag, parts, is_unordered, *_ = form
        known = self._known
        # A tuple cannot be mistaken: it is no atom.
        encoded = [part if type(part) in ATOMS else (known[id(part)],) for part in parts]
        if is_unordered:
            return _dump((tag, *sorted(map(_dump, encoded))))
        return _dump((tag, *encoded))

    def _order_sets(self) -> None:
        """Sort what is in sets, and start again.

        In what order a circle is entered through a set is up to the hash seed. So each node gets
        a key from what is around it, up to a distance that tells as many apart as possible.
        """
        inner = list(self._nodes.values())
        self._known |= {id(node.value): node.form.tag.encode() for node in inner}
        different = 0
        for _ in range(_MOST_ROUNDS):
            keys = {id(node.value): xxh3_128_digest(self._encode(node.form)) for node in inner}
            self._known |= keys
            if len(set(keys.values())) == different:
                break
            different = len(set(keys.values()))
        for node in inner:
            if node.form.is_unordered:
                node.children.sort(key=lambda part: _dump(self._known[id(part)]))
        self._count = 0
        for node in inner:
            node.index = -1
            del self._known[id(node.value)]


def _dump(value: Any) -> bytes:
    try:
        return marshal.dumps(value, _FORMAT)
    except ValueError:
        # A text of over 2 GB.
        return marshal.dumps(_shortened(value), _FORMAT)


def _shortened(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_shortened, value))
    if isinstance(value, (str, bytes)) and len(value) > _LONGEST // 4:
        data = value.encode(errors="surrogatepass") if isinstance(value, str) else value
        return type(value).__name__, xxh3_128_digest(data)
    return value


def _shown(path: list[tuple[_Node, Iterator[object]]], last: object) -> str:
    """Write the way to a value as one would in Python."""
    targets = [*(node.value for node, _ in path[1:]), last]
    return "".join(_step(n.form, t) for (n, _), t in zip(path, targets, strict=True))


def _step(form: Form, target: object) -> str:
    index = next(i for i, part in enumerate(form.parts) if part is target)
    before = form.parts[index - 1] if index else None
    if form.tag in ("list", "tuple"):
        return f"[{index}]"
    if form.tag == "dict":
        return f"[{before!r:.40}]" if index % 2 else ""
    return f".{before}" if isinstance(before, str) and before.isidentifier() else ""
