"""Colours as WCAG compares them."""

import re


def contrast(one: str, other: str) -> float:
    """The contrast of two computed colours (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of a computed colour: `rgb(…)`, or `color(srgb …)` where colours are mixed."""
    numbers = [float(number) for number in re.findall(r"[\d.]+", colour)]
    assert len(numbers) == 3, f"not an opaque colour: {colour}"
    parts = [number / (1 if colour.startswith("color(srgb ") else 255) for number in numbers]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def lowest_contrasts(found: dict[tuple[str, str], str]) -> list[tuple[float, str]]:
    """Those below seven, of texts by their colour and what is behind them."""
    ratios = ((round(contrast(*colours), 2), text) for colours, text in found.items())
    return [(ratio, text) for ratio, text in ratios if ratio < 7]
