"""Values that break programs: each was a hole somewhere, and some of them were holes here."""

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

# As text of JSON, for some of them are values that no library would write.
RAW_JSON = (
    b"",
    b"null",
    b"[]",
    b"0",
    b'"x"',
    b"{",
    b"\xff\xfe{}",
    b"\x00",
    b"[" * 20_000,
    b'{"a":' * 20_000,
    b'{"lines": NaN}',
    b'{"lines": ' + b"9" * 5_000 + b"}",
    b'{"amount": 1e999999}',
    b'{"\\ud800": 1}',
    b'{"\\u0000": "\\u0000"}',
    b"{" + b",".join(b'"k%d": 1' % n for n in range(3_000)) + b"}",
    b'{"__proto__": {"x": 1}, "constructor": 1}',
    b'{"a": 1, "a": 2}',
    "{\u2028}".encode(),
    b"%PDF-1.4",
    b"<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><x>&y;</x>",
)
TEXTS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "\r\nSet-Cookie: a=b",
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "\u2028\u2029\u202e\ufeff",
    "x" * 300,
    "x" * 20_000,
    "\u0301" * 200,
    "\ufdfa" * 100,
    "' OR 1=1 --",
    "'; DROP TABLE charges; --",
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}%{7*7}",
    "../../../../etc/passwd",
    "..%2f..%2f",
    "=cmd|' /C calc'!A0",
    "-1",
    "0",
    "1e309",
    "NaN",
    "99999999999999999999999999",
    "2147483648",
    "9223372036854775808",
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
    "00000000-0000-4000-8000-000000000009",
    "http://169.254.169.254/latest/meta-data",
    "https://[::ffff:127.0.0.1]/",
    "https://2130706433/",
    "ｃａｎｔｉｎａ",
    "１２３",
    "true",
    "é" * 40,
    "🍔" * 30,
)
NUMBERS = (-1, 0, 1, 2, 3, 2**31, 2**63, 2**64, 10**400, -(2**63) - 1, 0.1, 1e308, float("nan"))
Schema = Mapping[str, Any]
Pick = Callable[[], Any]


class Inventor:
    """Makes requests that are nearly right, by the schemas of a document, from a seeded source."""

    def __init__(self, source: random.Random, *, document: Schema) -> None:
        self._source = source
        self._schemas = document.get("components", {}).get("schemas", {})

    def text(self) -> str:
        """Give a hostile text."""
        return self._source.choice(TEXTS)

    def body(self, schema: Schema) -> bytes:
        """Give a body: mostly one by the schema with a few faults, sometimes nothing like it."""
        if self._source.random() < 0.15:
            return self._source.choice(RAW_JSON)
        if self._source.random() < 0.5:
            return json.dumps(self._but_one(self.value(schema, faults=0.0))).encode()
        return json.dumps(self.value(schema, faults=self._source.choice((0.0, 0.05, 0.3)))).encode()

    def _but_one(self, value: Any) -> Any:
        """Make one leaf of a good value a hostile one: what comes first must not hide the rest."""
        if isinstance(value, dict) and value:
            name = self._source.choice(sorted(value))
            return {**value, name: self._but_one(value[name])}
        if isinstance(value, list) and value:
            return [self._but_one(value[0]), *value[1:]]
        return self.text() if isinstance(value, str) else self._anything()

    def value(self, schema: Schema, *, faults: float, depth: int = 0) -> Any:
        """Give a value by the schema; each part is something else with the odds of `faults`."""
        examples = schema.get("examples")
        if examples and self._source.random() < 0.5:
            return self._source.choice(examples)
        if self._source.random() < faults:
            return self._anything()
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self.value(self._schemas.get(name, {}), faults=faults, depth=depth + 1)
        for key in ("anyOf", "oneOf", "allOf"):
            if key in schema:
                chosen = self._source.choice(schema[key])
                return self.value(chosen, faults=faults, depth=depth + 1)
        if "enum" in schema:
            return self._source.choice(schema["enum"])
        if "const" in schema:
            return schema["const"]
        return self._typed(schema, faults=faults, depth=depth)

    def _typed(self, schema: Schema, *, faults: float, depth: int) -> Any:
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            return self._object(schema, faults=faults, depth=depth)
        if kind == "array":
            most = min(int(schema.get("maxItems", 3)), 3)
            count = self._source.randint(min(int(schema.get("minItems", 0)), most), most)
            items = schema.get("items", {})
            return [self.value(items, faults=faults, depth=depth + 1) for _ in range(count)]
        if kind == "integer":
            low = int(schema.get("minimum", 0))
            return self._source.choice((low, low + 1, int(schema.get("maximum", low + 2))))
        if kind == "boolean":
            return self._source.random() < 0.5
        if kind == "null":
            return None
        return self._text(schema)

    def _text(self, schema: Schema) -> str:
        examples = schema.get("examples")
        if examples and self._source.random() < 0.7:
            return str(self._source.choice(examples))
        shortest = int(schema.get("minLength", 0))
        longest = int(schema.get("maxLength", 40))
        if "pattern" in schema:
            return self._source.choice(("24.90", "ponto", "11:00", "abc", "0"))
        return self._source.choice((self.text(), "Ana", "x" * max(shortest, 1), "x" * longest))

    def _object(self, schema: Schema, *, faults: float, depth: int) -> Any:
        needed = set(schema.get("required", ()))
        made = {}
        for name, part in schema.get("properties", {}).items():
            if depth < 8 and (name in needed or self._source.random() < 0.5):
                made[name] = self.value(part, faults=faults, depth=depth + 1)
        if self._source.random() < faults:
            made[self.text()] = self._anything()
        return made

    def _anything(self) -> Any:
        pick: Pick = self._source.choice(
            (
                self.text,
                lambda: self._source.choice(NUMBERS),
                lambda: None,
                list,
                lambda: {self.text(): self.text()},
                lambda: [[[[[self.text()]]]]],
                lambda: self._source.random() < 0.5,
            )
        )
        return pick()
