"""A second copy of this package beside the real one, to plant a bug in.

The copy's modules have names of their own ("raftsim_1.core.raft") and their own classes; whatever they import of the
package, at once or later, is of the copy. So nothing that is changed in it is felt outside, and the code of the package
needs no switch for it.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from itertools import count
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

PACKAGE: Final = "raftsim"
_numbers = count(1)


class Copy:
    """A fresh copy; `close` it when it is no longer needed."""

    def __init__(self) -> None:
        self.name = f"{PACKAGE}_{next(_numbers)}"
        self._finder = _Finder(self.name)
        sys.meta_path.insert(0, self._finder)

    def module(self, name: str) -> Any:
        """The copy's module of that name, such as "core.raft"."""
        return importlib.import_module(f"{self.name}.{name}")

    def close(self) -> None:
        """Forget the copy's modules. What is in use of them stays usable, but imports nothing more."""
        sys.meta_path.remove(self._finder)
        for name in [name for name in sys.modules if name.partition(".")[0] == self.name]:
            del sys.modules[name]


class _Finder(MetaPathFinder):
    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        root, _, rest = fullname.partition(".")
        if root != self._name:
            return None
        where = [str(Path(__file__).parents[2])] if path is None else path
        real = PathFinder.find_spec(f"{PACKAGE}.{rest}" if rest else PACKAGE, where)
        if real is None or real.origin is None:
            return None
        return spec_from_file_location(
            fullname,
            real.origin,
            loader=_Loader(fullname, real.origin),
            submodule_search_locations=real.submodule_search_locations,
        )


class _Loader(SourceFileLoader):
    """Compiles a source of the package as one of the copy. Nothing is cached: a .pyc belongs to the real module."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        tree = ast.parse(self.get_data(path), path)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == PACKAGE:
                node.module = fullname.partition(".")[0] + node.module.removeprefix(PACKAGE)
        code: CodeType = compile(tree, path, "exec", dont_inherit=True)
        return code
