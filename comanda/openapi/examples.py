"""Make an example of a schema: what the schema says itself, or else sample values by field name."""

from collections.abc import Mapping
from typing import Any

from comanda.openapi.samples import BY_FORMAT, BY_MEDIA_TYPE, BY_NAME, BY_SCHEMA

JSON = dict[str, Any]
_SCHEMAS = "#/components/schemas/"
# A menu holds products that hold slots that hold products: at some depth enough is shown.
_DEEPEST = 8
_PLAIN: dict[str, Any] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True}


class Examples:
    """Examples for one document; a schema may hold itself, so depth is bounded."""

    def __init__(self, schemas: Mapping[str, JSON]) -> None:
        self._schemas = schemas

    def of_content(self, media_type: str, schema: JSON) -> Any:
        """Give an example of a body."""
        if media_type in BY_MEDIA_TYPE:
            return BY_MEDIA_TYPE[media_type]
        return self.of(schema)

    def of(self, schema: JSON, *, name: str = "", within: str = "", depth: int = 0) -> Any:
        """Give an example of a schema, which is named `within` and stands in the field `name`."""
        if "$ref" in schema:
            target = str(schema["$ref"]).removeprefix(_SCHEMAS)
            return self.of(self._schemas[target], name=name, within=target, depth=depth + 1)
        if "examples" in schema or "example" in schema:
            return schema.get("example", (schema.get("examples") or [None])[0])
        for fixed in ("const", "enum"):
            if fixed in schema:
                return schema[fixed] if fixed == "const" else _chosen(schema, name)
        variants = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        # Beside fields of its own, variants only say which of them must be there.
        if variants and "properties" not in schema:
            return self.of(_wanted(variants), name=name, within=within, depth=depth)
        return self._of_type(schema, name=name, within=within, depth=depth)

    def _of_type(self, schema: JSON, *, name: str, within: str, depth: int) -> Any:
        kind = _type_of(schema)
        if kind == "object":
            return self._object(schema, within=within, depth=depth)
        if kind == "array":
            return self._array(schema, name=name, depth=depth)
        return _plain(schema, kind, name=name)

    def _object(self, schema: JSON, *, within: str, depth: int) -> JSON:
        if "properties" in schema:
            own = BY_SCHEMA.get(within, {})
            return {
                field: own[field] if field in own else self.of(inner, name=field, depth=depth)
                for field, inner in schema["properties"].items()
                if field not in _rivals(schema)
            }
        inner = schema.get("additionalProperties")
        if isinstance(inner, dict) and inner:
            return {"RECEIVED": self.of(inner, depth=depth + 1)}
        return {}

    def _array(self, schema: JSON, *, name: str, depth: int) -> list[Any]:
        told = BY_NAME.get(name)
        if isinstance(told, list):
            return told
        if depth > _DEEPEST and not schema.get("minItems"):
            return []
        singular = name.removesuffix("s")
        return [self.of(schema.get("items", {}), name=singular, depth=depth)]


def _rivals(schema: JSON) -> set[str]:
    """Name the fields that may not stand beside those of the first variant."""
    first, *others = schema.get("oneOf") or [{}]
    rivals = {field for other in others for field in other.get("required", ())}
    return rivals - set(first.get("required", ()))


def _wanted(variants: list[JSON]) -> JSON:
    return next((it for it in variants if it.get("type") != "null"), variants[0])


def _chosen(schema: JSON, name: str) -> Any:
    told = BY_NAME.get(name)
    return told if told in schema["enum"] else schema["enum"][0]


def _type_of(schema: JSON) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = next((it for it in kind if it != "null"), "null")
    return str(kind)


def _plain(schema: JSON, kind: str, *, name: str) -> Any:
    told = (BY_NAME.get(name), BY_FORMAT.get(schema.get("format", "")))
    fitting = [value for value in told if value is not None and _fits(value, kind)]
    if fitting:
        return fitting[0]
    if kind == "integer":
        return max(1, int(schema.get("minimum", 1)))
    return _PLAIN.get(kind)


def _fits(value: Any, kind: str) -> bool:
    kinds = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
    wanted = kinds.get(kind, object)
    is_number_of_a_switch = isinstance(value, bool) and kind != "boolean"
    return isinstance(value, wanted) and not is_number_of_a_switch  # type: ignore[arg-type]
