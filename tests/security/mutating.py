"""Hostile texts out of good ones: cut, doubled, seasoned, or with one JSON leaf replaced."""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.edge.fuzz import change_text
from tests.security.hostile import NUMBERS, RAW_JSON, TEXTS

# What a number of JSON may look like; most of them no library would write.
_NUMERALS = ("1e999999999999999999999", "-0", "1E400", "0.1e-9999", "9" * 5_000, "NaN", "-Infinity")
_MARK = "\x00a numeral\x00"
_MARKED = json.dumps(_MARK)


class Mutator:
    """Makes inputs from good texts; a text that is JSON also loses or changes single values."""

    def __init__(self, seeds: Sequence[str]) -> None:
        self._seeds = tuple(seeds)
        self._trees = tuple(tree for tree in map(_tree, seeds) if isinstance(tree, dict | list))

    def text(self, dice: random.Random) -> str:
        """Give one input."""
        odds = dice.random()
        if odds < 0.03:
            return dice.choice(TEXTS)
        if odds < 0.05:
            return dice.choice(RAW_JSON).decode("utf-8", "surrogateescape")
        if self._trees and odds < 0.6:
            return self._of_tree(dice)
        text = dice.choice(self._seeds)
        for _ in range(dice.randrange(4)):
            text = change_text(text, dice)[:100_000]
        return text

    def _of_tree(self, dice: random.Random) -> str:
        tree = dice.choice(self._trees)
        for _ in range(dice.randint(1, 2)):
            tree = _but_one(tree, dice)
        text = json.dumps(tree, ensure_ascii=dice.random() < 0.5)
        return text.replace(_MARKED, dice.choice(_NUMERALS)) if _MARKED in text else text


def _tree(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _but_one(value: Any, dice: random.Random) -> Any:
    """Copy a value with one part of it replaced, taken away or added to."""
    if isinstance(value, dict) and value and dice.random() < 0.95:
        name = dice.choice(tuple(value))
        if dice.random() < 0.1:
            return {key: part for key, part in value.items() if key != name}
        return {**value, name: _but_one(value[name], dice)}
    if isinstance(value, list) and value and dice.random() < 0.9:
        at = dice.randrange(len(value))
        return [*value[:at], _but_one(value[at], dice), *value[at + 1 :]]
    return dice.choice(_LEAVES)(value, dice)


_LEAVES: tuple[Callable[[Any, random.Random], Any], ...] = (
    lambda _, dice: dice.choice(TEXTS),
    lambda _, dice: dice.choice(NUMBERS),
    lambda value, dice: change_text(str(value), dice)[:20_000],
    lambda *_: _MARK,
    lambda *_: None,
    lambda *_: True,
    lambda value, _: [value],
    lambda value, _: {"id": value},
    lambda value, _: [value] * 50,
    lambda *_: {},
)
