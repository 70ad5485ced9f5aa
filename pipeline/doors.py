"""Finds engines, stages, exporters and input formats through doors, Parley's own and anybody else's in the same way.

A door is a group of entry points. An entry point names a module, which provides its objects of the door's class (alone
or in tuples), or a package, whose public modules are searched. In a package a file is named after its object:
`tts/flite.py` is the `tts` engine "flite", `tts/espeak_ng.py` is "espeak-ng". So a name is found without importing all
the others, and to add something to Parley itself means to add a file. Modules that begin with an underscore,
contracts and registries are helpers.

To provide an engine from outside, a package writes into its pyproject.toml::

    [project.entry-points."parley.engines"]
    beep = "beep_for_parley.beep"
"""

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from types import ModuleType
from typing import Generic, TypeVar

from manifests.errors import EngineUnavailable

Thing = TypeVar("Thing")

_HELPERS = {"contract", "registry"}


@dataclass(frozen=True)
class Door(Generic[Thing]):
    """Represents one group of entry points. `kinds`: the folders of a package of this door; empty: it has none.

    `added` holds objects of this process only, by (kind or None, name), which hide all others of that name. It is for
    tests and notebooks, and is not sent to Ray's workers.
    """

    group: str
    thing: type[Thing]
    kinds: tuple[str, ...] = ()
    added: dict[tuple[str | None, str], Thing] = field(default_factory=dict, compare=False)

    def named(self, name: str, kind: str | None = None) -> list[Thing]:
        """Return the objects called `name` (of that kind, if the door has kinds); Parley's own hide others of that
        name.

        Raises EngineUnavailable if its module cannot be imported.
        """
        if found := [thing for (of, called), thing in self.added.items() if called == name and kind in (None, of)]:
            return found
        own = [module for module in _modules_of(self.group, self.kinds) if _fits(module, name, kind)]
        found = [thing for module in own for thing in self._things(module.path)]
        if not found:
            found = [thing for path in _single_modules(self.group) for thing in self._things(path)]
        return [
            thing
            for thing in found
            if getattr(thing, "name", None) == name and kind in (None, getattr(thing, "kind", kind))
        ]

    def all(self) -> list[Thing]:
        """Return everything behind this door, Parley's own first, in the order of kinds and names."""
        paths = [module.path for module in _modules_of(self.group, self.kinds)]
        found = [thing for path in (*paths, *_single_modules(self.group)) for thing in self._things(path)]
        return [*found, *self.added.values()]

    def names(self) -> list[str]:
        """Return all names, without importing any module of a package."""
        own = [module.name for module in _modules_of(self.group, self.kinds)]
        others = [getattr(thing, "name", "") for path in _single_modules(self.group) for thing in self._things(path)]
        return list(dict.fromkeys((*own, *others, *(name for _, name in self.added))))

    def _things(self, path: str) -> list[Thing]:
        """Return the objects of the door's class in a module, alone or in tuples, each once."""
        values = [
            item
            for value in vars(_imported(path)).values()
            for item in (value if isinstance(value, tuple) else (value,))
            if isinstance(item, self.thing)
        ]
        return list({id(value): value for value in values}.values())


@dataclass(frozen=True)
class _Module:
    """Describes a public module of a package behind a door: import path, folder, and the name of its object."""

    path: str
    kind: str | None
    name: str


def _fits(module: _Module, name: str, kind: str | None) -> bool:
    return module.name == name and kind in (None, module.kind)


@cache
def _modules_of(group: str, kinds: tuple[str, ...]) -> tuple[_Module, ...]:
    """Return the public modules of the packages that the group's entry points name, sorted by kind and name."""
    packages = [spec for point in _points(group) if (spec := _package(point))]
    if not kinds:
        return tuple(module for name, folders in packages for module in _public(name, folders, None))
    return tuple(
        module
        for kind in kinds
        for name, folders in packages
        for module in _public(f"{name}.{kind}", [f"{folder}/{kind}" for folder in folders], kind)
    )


def _public(package: str, folders: Sequence[str], kind: str | None) -> Iterator[_Module]:
    for found in pkgutil.iter_modules(folders):
        if not found.name.startswith("_") and found.name not in _HELPERS:
            yield _Module(f"{package}.{found.name}", kind, found.name.replace("_", "-"))


@cache
def _single_modules(group: str) -> tuple[str, ...]:
    return tuple(point for point in _points(group) if not _package(point))


@cache
def _points(group: str) -> tuple[str, ...]:
    """Return the registered modules and packages, sorted, Parley's own first."""
    values = {point.value for point in entry_points(group=group)}
    return tuple(sorted(values, key=lambda value: (value.partition(".")[0] not in ("pipeline", "manifests"), value)))


@cache
def _package(path: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the package's path and its folders; None for a module, or if nothing is found."""
    try:
        spec = find_spec(path)
    except ModuleNotFoundError:
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return path, tuple(spec.submodule_search_locations)


def _imported(path: str) -> ModuleType:
    try:
        return importlib.import_module(path)
    except ImportError as error:
        missing = f"the package {error.name} is missing" if isinstance(error, ModuleNotFoundError) else str(error)
        raise EngineUnavailable(f"{path.rsplit('.', 1)[-1]} ({path}) cannot be imported: {missing}") from error
