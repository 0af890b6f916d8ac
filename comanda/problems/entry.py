"""One problem of the catalogue: a name that stays, a status, and words in two languages."""

import re
from dataclasses import dataclass
from functools import cache

_PLACE = re.compile(r"\\\{(\w+)\\\}")


@dataclass(frozen=True, slots=True)
class Text:
    """The same words twice; `{name}` stands for what differs from time to time."""

    en: str
    pt: str

    def in_portuguese(self, english: str) -> str | None:
        """Give the Portuguese of what was said in English; None if these are not its words."""
        found = _form(self.en).fullmatch(english)
        return self.pt.format(**found.groupdict()) if found else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One problem: `detail` is what is said of it unless one of `details` is more exact.

    `slug` names it in `type` for as long as clients may know it; texts may change, it may not.
    """

    slug: str
    status: int
    title: Text
    detail: Text
    details: tuple[Text, ...] = ()

    @property
    def type(self) -> str:
        """Give the URI reference that clients compare."""
        return f"/problems/{self.slug}"

    def detail_in_portuguese(self, english: str) -> str:
        """Translate what was said; words that nobody translated give way to the general ones."""
        told = (text.in_portuguese(english) for text in (self.detail, *self.details))
        return next((text for text in told if text is not None), self.detail.pt)


@cache
def _form(template: str) -> re.Pattern[str]:
    # Compiled when first asked for, because a cold start pays for nobody's Portuguese.
    return re.compile(_PLACE.sub(r"(?P<\1>.+?)", re.escape(template)), re.DOTALL)
