"""
A message as HTML for mail programs: tables and inline styles, no images, nothing from elsewhere.

Mail programs know little CSS, and each another part of it; what all of them know is used for the layout, and
the style sheet only adds dark colours and small screens where they are understood.
"""

from __future__ import annotations

from html import escape
from typing import Final

import msgspec

from pinnacle_backup.config.redact import one_line
from pinnacle_backup.model.conditions import BAD, GOOD, WARNING
from pinnacle_backup.notify.message import FOOTNOTE, MOST_DETAILS, Message, detail

_SANS: Final = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
_MONO: Final = "ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace"


class _Tone(msgspec.Struct, frozen=True):
    """How a level looks: its word, the strong colour, the pale one behind it."""

    word: str
    strong: str
    pale: str


_TONES: Final = {
    GOOD: _Tone("All is well", "#1a7f4b", "#e9f6ef"),
    WARNING: _Tone("Please look", "#946200", "#fdf4de"),
    BAD: _Tone("Needs a hand", "#b3261e", "#fcebe9"),
}

_STYLE: Final = """
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (max-width: 480px) {
  .outer { padding: 0 !important; }
  .card { border-radius: 0 !important; border-left: 0 !important; border-right: 0 !important; }
  .in { padding-left: 20px !important; padding-right: 20px !important; }
  .name { width: 84px !important; padding-right: 12px !important; }
}
@media (prefers-color-scheme: dark) {
  body, .outer { background: #14161a !important; }
  .card { background: #1d2025 !important; border-left-color: #343941 !important;
    border-right-color: #343941 !important; border-bottom-color: #343941 !important; }
  .ink { color: #eceef1 !important; }
  .dim { color: #a3aab5 !important; }
  .line { border-color: #2e333a !important; }
  .log { background: #14161a !important; color: #c9ced6 !important; border-color: #2e333a !important; }
  .good { color: #6fd39e !important; background: #16301f !important; }
  .warning { color: #f0c05c !important; background: #33280d !important; }
  .bad { color: #ff9a90 !important; background: #3a1a17 !important; }
  .advice { background: #252932 !important; }
}
"""


def as_html(message: Message) -> str:
    """Return the message as an HTML document on its own."""
    tone = _TONES.get(message.level, _TONES[BAD])
    level = message.level if message.level in _TONES else BAD
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="supported-color-schemes" content="light dark">\n'
        f"<title>{_safe(message.subject)}</title>\n<style>{_STYLE}</style></head>\n"
        f'<body style="margin:0;padding:0;background:#f3f4f6;-webkit-text-size-adjust:100%">\n'
        f"{_frame(tone, _head(message, tone, level) + _body(message))}</body></html>\n"
    )


def _frame(tone: _Tone, rows: str) -> str:
    return (
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>\n'
        '<td class="outer" align="center" style="background:#f3f4f6;padding:32px 16px">\n'
        '<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" border="0" '
        'style="max-width:600px;background:#ffffff;border:1px solid #dfe2e7;border-radius:10px;'
        f'border-top:4px solid {tone.strong};border-collapse:separate;text-align:left">\n'
        f"{rows}</table>\n</td></tr></table>\n"
    )


def _head(message: Message, tone: _Tone, level: str) -> str:
    badge = (
        f'<span class="{level}" style="display:inline-block;padding:3px 10px;border-radius:20px;'
        f'background:{tone.pale};color:{tone.strong};font:600 13px/20px {_SANS}">{tone.word}</span>'
    )
    headline = (
        f'<h1 class="ink" style="margin:14px 0 0;font:600 21px/29px {_SANS};color:#1b1f24;'
        f'overflow-wrap:anywhere">{_safe(message.headline)}</h1>'
    )
    return _row(badge + headline, "28px 32px 20px")


def _body(message: Message) -> str:
    rows = _row(_advice(message), "0 32px 12px") if message.advice else ""
    if any(value for _, value in message.facts):
        rows += _row(_facts(message), "0 32px 8px")
    if message.details:
        rows += _row(_details(message), "16px 32px 8px")
    return rows + _row(_foot(message), "20px 32px 26px")


def _row(content: str, padding: str) -> str:
    return f'<tr><td class="in" style="padding:{padding}">{content}</td></tr>\n'


def _facts(message: Message) -> str:
    rows = "".join(_fact(name, value) for name, value in message.facts if value)
    return (
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" '
        f'style="border-collapse:collapse">\n{rows}</table>'
    )


def _fact(name: str, value: str) -> str:
    cell = f"vertical-align:top;border-bottom:1px solid #eceef1;font:400 15px/22px {_SANS}"
    return (
        f'<tr><td class="name dim line" style="width:112px;padding:8px 16px 8px 0;color:#626a76;{cell}">'
        f'{_safe(name)}</td><td class="value ink line" style="padding:8px 0;color:#1b1f24;'
        f'overflow-wrap:anywhere;{cell}">{_safe(value)}</td></tr>\n'
    )


def _advice(message: Message) -> str:
    return (
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>'
        '<td class="advice" style="padding:14px 18px;border-radius:8px;background:#f3f5f9">'
        f'<div class="dim" style="font:600 13px/20px {_SANS};color:#626a76">What to do</div>'
        f'<div class="ink" style="margin-top:2px;font:400 15px/23px {_SANS};color:#1b1f24;'
        f'overflow-wrap:anywhere">{_safe(message.advice)}</div></td></tr></table>'
    )


def _details(message: Message) -> str:
    lines = "".join(
        f'<div style="padding:1px 0 1px 12px;text-indent:-12px">{escape(detail(line))}</div>\n'
        for line in message.details[:MOST_DETAILS]
    )
    return (
        f'<div class="dim" style="margin-bottom:8px;font:600 13px/20px {_SANS};color:#626a76">'
        "From the log</div>"
        f'<div class="log" style="padding:12px 14px;border:1px solid #e6e8ec;border-radius:8px;'
        f"background:#f8f9fa;color:#3b424c;font:400 12.5px/19px {_MONO};overflow-wrap:anywhere;"
        f'word-break:break-word">\n{lines}</div>'
    )


def _foot(message: Message) -> str:
    return (
        f'<div class="dim" style="font:400 13px/20px {_SANS};color:#626a76;overflow-wrap:anywhere">'
        f"Pinnacle Backup on {_safe(message.host)}<br>{escape(FOOTNOTE)}</div>"
    )


def _safe(text: str) -> str:
    """Return the text for HTML: printable, and with no character that HTML understands."""
    return escape(one_line(text))
