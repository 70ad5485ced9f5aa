"""Reads YAML that people write: recipes, `--set` values, prompts. Whatever is wrong with it is one kind of error.

It is the part of YAML that JSON has too, with anchors. Keys are names: `no:` and `2024:` are texts. A date is a text.
A key that stands twice is refused, since one of the two would be lost without a word; and so is what grows beyond all
bounds once its anchors are followed.
"""

import math
from collections.abc import Iterator
from typing import Any

import yaml

_DEEPEST = 40
_MOST_NODES = 100_000
_LARGEST = 2**63 - 1
_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null"))
_TEXT = "tag:yaml.org,2002:str"
_EQUALS = "tag:yaml.org,2002:value"
"""The tag of a lone `=`, which is a text here."""
_MERGE = "tag:yaml.org,2002:merge"
_DATE = "tag:yaml.org,2002:timestamp"

# PyYAML's constructors raise these for values of the right form that make no sense, such as `!!float x`.
_CONSTRUCTION = (yaml.YAMLError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)


class _Loader(yaml.SafeLoader):
    """Loads without dates."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if tag != _DATE]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_yaml(text: str) -> Any:
    """Return the value of a YAML text. Raises ValueError, which says in one line what is wrong and where."""
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            return None
        _check(root)
        value = loader.construct_document(root)
    except RecursionError:
        raise ValueError("nested too deep") from None
    except _CONSTRUCTION as error:
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from None
    _check_numbers(value)
    return value


def _check(root: yaml.Node) -> None:
    """Raise ValueError for what no recipe needs; count each node as often as anchors repeat it."""
    sizes: dict[int, int] = {}
    _size(root, 0, sizes, set())


def _size(node: yaml.Node, depth: int, sizes: dict[int, int], above: set[int]) -> int:
    """Return the number of nodes in the expanded `node`. `above` are the nodes that it is in."""
    if id(node) in above:
        raise ValueError(f"{_place(node)}: an anchor that holds itself")
    if depth > _DEEPEST:
        raise ValueError(f"{_place(node)}: nested too deep")
    if id(node) not in sizes:
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
        elif isinstance(node, yaml.ScalarNode) and any("\ud800" <= sign <= "\udfff" for sign in node.value):
            raise ValueError(f"{_place(node)}: half of a surrogate pair, which is no character")
        if node.tag == _EQUALS:
            node.tag = _TEXT
        if node.tag not in _TAGS:
            raise ValueError(f"{_place(node)}: {node.tag.replace('tag:yaml.org,2002:', '!!')} values are not taken")
        above.add(id(node))
        size = 1 + sum(_size(inner, depth + 1, sizes, above) for inner in _inner(node))
        above.remove(id(node))
        if size > _MOST_NODES:
            raise ValueError(f"{_place(node)}: more than {_MOST_NODES} values, once its anchors are followed")
        sizes[id(node)] = size
    return sizes[id(node)]


def _inner(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        yield from (value for _, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _check_keys(node: yaml.MappingNode) -> None:
    """Make every key a text, except the `<<` that merges. Raise ValueError for a list as a key, and a repeated key."""
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ValueError(f"{_place(key)}: a key must be a name")
        if key.tag != _MERGE:
            key.tag = _TEXT
        if key.value in seen:
            raise ValueError(f"{_place(key)}: the key {key.value[:60]!r} is there twice")
        seen.add(key.value)


def _check_numbers(value: Any) -> None:
    """Raise ValueError for numbers that other readers of JSON cannot hold."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a number that a setting can have")
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise ValueError("a number is too large: it has more than 64 bits")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_numbers(inner)


def _place(node: yaml.Node) -> str:
    return f"line {node.start_mark.line + 1}"
