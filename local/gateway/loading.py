"""Load a Chalice app from its folder; both apps have modules named `app` and `chalicelib`."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from chalice.local import CustomLocalChalice

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
        return module
    finally:
        sys.path.remove(str(folder))
