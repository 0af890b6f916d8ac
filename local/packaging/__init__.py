"""What goes to Lambda: Chalice's own zips, with bytecode in them."""

from local.packaging.package import APPS, Package, add_bytecode, package

__all__ = ["APPS", "Package", "add_bytecode", "package"]
