"""The level as a small picture, for the front page of an adapter's repository."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .model import Report

__all__ = ["badge"]

_GREY: Final = "#5c6066"
_COLORS: Final = {"gold": "#8a6500", "silver": "#56636f", "bronze": "#8f5526"}
_LETTER: Final = 6.8
"""The width of a letter in pixels, on average; the text is fitted to it."""
_PADDING: Final = 12


def badge(report: Report) -> str:
    """Return an SVG that says subject, level and edition; grey where there is no level."""
    decision = report.decision
    label = "no level" if decision is None else decision.label
    color = _GREY
    if decision is not None and decision.grants:
        color = _COLORS[decision.grants[0].level]
    left, right = report.subject.name, f"{label} · {report.edition}"
    wide, rest = _width(left), _width(right)
    title = escape(f"dragoman conformance: {left} · {right}")
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide + rest}" height="20"'
                f' role="img" aria-label="{title}">'
            ),
            f"<title>{title}</title>",
            f'<clipPath id="r"><rect width="{wide + rest}" height="20" rx="3"/></clipPath>',
            '<g clip-path="url(#r)">',
            f'<rect width="{wide}" height="20" fill="#2f3338"/>',
            f'<rect x="{wide}" width="{rest}" height="20" fill="{color}"/>',
            "</g>",
            '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">',
            _text(left, _PADDING // 2, wide),
            _text(right, wide + _PADDING // 2, rest),
            "</g>",
            "</svg>",
            "",
        ]
    )


def _width(text: str) -> int:
    return round(len(text) * _LETTER) + _PADDING


def _text(text: str, x: int, width: int) -> str:
    fitted = width - _PADDING
    return f'<text x="{x}" y="14" textLength="{fitted}">{escape(text)}</text>'
