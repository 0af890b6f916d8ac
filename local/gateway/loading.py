"""Load a Chalice app from its folder; both apps have modules named `app` and `chalicelib`."""

import importlib.util
import sys
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

from chalice.local import CustomLocalChalice

_loads = count(1)
REPOSITORY = Path(__file__).resolve().parents[2]


def load_app(folder: str) -> Any:
    """Import `<folder>/app.py` under a name of its own and give its `app`, safe for threads."""
    module = _import(REPOSITORY / folder)
    app = module.app
    # Chalice keeps the current request on the app; this class keeps it per thread.
    app.__class__ = CustomLocalChalice
    return app


def _import(folder: Path) -> ModuleType:
    # Another app's `chalicelib` may be loaded already; each app must see its own.
    others = {n: m for n, m in sys.modules.items() if n.split(".")[0] == "chalicelib"}
    for name in others:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    try:
        spec = importlib.util.spec_from_file_location(f"{folder.name}_app", folder / "app.py")
        if spec is None or spec.loader is None:
            raise ImportError(f"no app.py in {folder.name}")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module.__name__] = module
        spec.loader.exec_module(module)
        _make_independent(folder.name)
        return module
    finally:
        sys.path.remove(str(folder))


def _make_independent(app: str) -> None:
    """Let the app's modules find each other later, when another app's `chalicelib` is loaded.

    What they import relatively, and only when it is needed, is looked up under their package's
    name, which both apps share; so each gets a name of its own beside it.
    """
    # Each load is an app of its own, as in a new container.
    own = f"{app}_chalicelib_{next(_loads)}"
    loaded = {n: m for n, m in sys.modules.items() if n.split(".")[0] == "chalicelib"}
    for name, module in loaded.items():
        sys.modules[own + name.removeprefix("chalicelib")] = module
        module.__package__ = own
        # Without a spec, the import system asks the line above.
        module.__spec__ = None
    if "chalicelib" in loaded:
        # `from . import x` asks the package for its name.
        loaded["chalicelib"].__name__ = own
