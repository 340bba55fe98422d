"""QR codes, where the library for them is installed; the same can always be typed instead."""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any


def qr_svg(text: str) -> str:
    """Return a QR code as SVG without scripts or styles; empty where the library is not installed."""
    code = _code(text)
    if code is None:
        return ""
    return str(code.svg_inline(svgclass=None, lineclass=None, omitsize=True, border=4, light="#fff"))


def qr_address(text: str) -> str:
    """Return a QR code as a ``data:`` address for an image; empty where the library is not installed."""
    code = _code(text)
    return "" if code is None else str(code.svg_data_uri(border=4, light="#fff", scale=8))


def qr_text(text: str) -> str:
    """Return a QR code for a terminal; empty where the library is not installed."""
    code = _code(text)
    if code is None:
        return ""
    out = io.StringIO()
    code.terminal(out, border=2, compact=True)
    return out.getvalue().rstrip("\n")


def _code(text: str) -> Any:
    try:
        segno = import_module("segno")
    except ImportError:
        return None
    return segno.make(text, error="m", micro=False)
