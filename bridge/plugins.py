"""Finding a platform's folder by its name."""

import importlib
import pkgutil
from typing import cast

import adapters
from bridge.errors import ConfigError
from bridge.ports import Plugin


def names() -> tuple[str, ...]:
    """All platforms there are, sorted."""
    return tuple(sorted(found.name for found in pkgutil.iter_modules(adapters.__path__)))


def load(name: str) -> Plugin:
    """Import `adapters.<name>` and return its plugin; ConfigError when there is none."""
    if name not in names():
        raise ConfigError(name, f"no such platform; there are {', '.join(names())}")
    module = importlib.import_module(f"adapters.{name}")
    # The front door of an adapter is its attribute `plugin`; an import by name has no type.
    return cast("Plugin", module.plugin)
