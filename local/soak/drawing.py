"""Draw a run as SVG: a panel for each kind of figure, a line for each series."""

from collections.abc import Sequence
from html import escape

from local.soak.judging import Series

_WIDTH, _HEIGHT, _LEFT, _TOP, _LEGEND = 640, 150, 56, 28, 190
_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f")
_TITLES = {
    "memory_mb": "resident memory, MB",
    "handles": "open handles",
    "tasks": "tasks of event loops",
    "seconds": "seconds that a customer waits",
}


def draw(series: Sequence[Series]) -> str:
    """Give the picture."""
    kinds = [kind for kind in _TITLES if any(it.kind == kind for it in series)]
    panels = [
        _panel(kind, [it for it in series if it.kind == kind], top=_TOP + n * (_HEIGHT + 40))
        for n, kind in enumerate(kinds)
    ]
    width, height = _LEFT + _WIDTH + _LEGEND, _TOP + len(kinds) * (_HEIGHT + 40)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif" font-size="10">\n'
        f'<rect width="{width}" height="{height}" fill="white"/>\n{"".join(panels)}</svg>\n'
    )


def _panel(kind: str, series: Sequence[Series], *, top: int) -> str:
    longest = max(at for it in series for at, _ in it.points) or 1.0
    highest = max(value for it in series for _, value in it.points) * 1.1 or 1.0
    base = top + _HEIGHT
    parts = [
        f'<text x="{_LEFT}" y="{top - 8}" font-size="12">{_TITLES[kind]}</text>',
        f'<path d="M{_LEFT} {top}V{base}H{_LEFT + _WIDTH}" fill="none" stroke="black"/>',
        f'<text x="{_LEFT - 6}" y="{top + 8}" text-anchor="end">{highest:.3g}</text>',
        f'<text x="{_LEFT - 6}" y="{base}" text-anchor="end">0</text>',
        f'<text x="{_LEFT + _WIDTH}" y="{base + 14}" text-anchor="end">{longest:.0f} s</text>',
    ]
    for number, it in enumerate(series):
        colour = _COLOURS[number % len(_COLOURS)]
        dashes = ' stroke-dasharray="4 2"' if number >= len(_COLOURS) else ""
        points = " ".join(
            f"{_LEFT + at / longest * _WIDTH:.1f},{base - value / highest * _HEIGHT:.1f}"
            for at, value in it.points
        )
        label = top + 10 + number * 10
        parts += [
            f'<polyline points="{points}" fill="none" stroke="{colour}"{dashes}/>',
            f'<text x="{_LEFT + _WIDTH + 10}" y="{label}" fill="{colour}">{escape(it.name)}</text>',
        ]
    return "\n".join(parts) + "\n"
