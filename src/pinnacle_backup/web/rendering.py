"""
The templates' environment: what every page may use beside the macros in ``components.html``.

Everything that a template prints is escaped, and made printable as UTF-8: names of files may be any bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pinnacle_backup.model import words
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.runs import BAD_OUTCOMES, CANCELLED, GOOD, RUNNING
from pinnacle_backup.web.advice import on_page, sentence
from pinnacle_backup.web.compiled import CompiledTemplates
from pinnacle_backup.web.phases import PHASES, phase

STATIC: Final = "/static"
_MACROS: Final[Mapping[str, str]] = MappingProxyType(
    {"c": "components.html", "f": "forms.html", "d": "data.html"}
)


def environment(*, static: str = STATIC, version: str = "") -> Environment:
    """
    Return the environment of all templates.

    Pages know the macros of ``components.html`` as ``c``, ``forms.html`` as ``f`` and ``data.html`` as ``d``.
    Filters: ``size``, ``number``, ``duration``, ``printable``, ``moment``, ``tone``, ``on_page``,
    ``sentence``, ``phase``; functions: ``counted``, ``speed``, ``age``; ``phases`` are for scripts. A value
    that a page forgot to give is an error, never an empty place.

    Args:
        static: Where the static files are served.
        version: Of these files; empty where pages do not name one.
    """
    env = Environment(
        loader=PackageLoader("pinnacle_backup.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_encodable,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=CompiledTemplates(Path(__file__).read_text("utf-8")),
    )
    static = f"{static}/{version}" if version else static
    env.globals.update(static=static, counted=words.counted, speed=words.speed, age=_age, phases=dict(PHASES))
    env.filters.update(
        size=words.size,
        number=words.number,
        duration=words.duration,
        printable=printable,
        moment=moment,
        tone=tone,
        on_page=on_page,
        sentence=sentence,
        phase=phase,
    )
    for name, template in _MACROS.items():
        env.globals[name] = env.get_template(template).module
    return env


def compile_all(env: Environment) -> None:
    """Compile all templates, so that nobody who asks for the first page waits for it."""
    for name in env.list_templates():
        env.get_template(name)


def tone(state: str) -> str:
    """Return the tone that an outcome or a level of health is shown in: ``good``, ``warn``, ``bad`` ..."""
    if state in BAD_OUTCOMES or state in ("critical", "bad", "damaged", "missed"):
        return "bad"
    known: Mapping[str, str] = {
        GOOD: "good",
        "ok": "good",
        "proven": "good",
        RUNNING: "accent",
        CANCELLED: "neutral",
        "idle": "neutral",
        "unknown": "warn",
    }
    return known.get(state, "warn")


def moment(value: str | datetime) -> datetime:
    """Return an instant of the model (ISO 8601, UTC) or of Python as a moment in UTC."""
    return words.instant(value) if isinstance(value, str) else value.astimezone(UTC)


def _age(value: str | datetime, now: datetime) -> str:
    """Return ``3 h ago``, ``in 3 h`` or ``now``; ``static/js/words.js`` says the same."""
    then = moment(value)
    if then > now:
        ahead = words.age(now, then)
        return ahead if ahead == "now" else f"in {ahead}"
    ago = words.age(then, now)
    return ago if ago == "now" else f"{ago} ago"


def _encodable(value: object) -> object:
    """Print nothing for None; keep names that are no UTF-8 from breaking the page."""
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, Markup) and not value.isascii():
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value
