"""
One style sheet and one script for all pages, put together from small files when the server starts.

Each file that a page names costs a browser some milliseconds before it can paint, kept or not. The files of
one page alone stay as they are; what they import from the others, they import from the one script.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

STYLES: Final = ("tokens", "base", "layout", "components", "forms", "data", "charts")
"""In this order, as later rules win; ``print`` comes last."""

SCRIPTS: Final = (
    "dom", "words", "api", "events", "toast", "theme", "times", "menu", "dialogs", "forms", "tables", "tabs",
    "copy", "progress",
)  # fmt: skip
"""In this order: each comes behind those that it imports."""

STYLE: Final = "css/all.css"
SCRIPT: Final = "js/all.js"
_PRINT: Final = "css/print.css"
_IMPORT: Final = re.compile(r'^import (\{ [\w, ]+ \}) from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export ((?:async )?(?:const|class|function) (\w+))", re.MULTILINE)
_OTHER: Final = re.compile(r"^(?:import|export)\b", re.MULTILINE)


def put_together(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """
    Return the files to serve, by path: what every page loads as one style sheet and one script.

    Args:
        files: As they are written, by path.

    Raises:
        ValueError: A script of all pages imports or exports in another way than the others.
    """
    parts = {_PRINT, *(f"css/{name}.css" for name in STYLES), *(f"js/{name}.js" for name in SCRIPTS)}
    rest = {
        path: _importing(content) if path.endswith(".js") else content
        for path, content in files.items()
        if path not in parts
    }
    return {**rest, STYLE: _style(files), SCRIPT: _script(files)}


def _style(files: Mapping[str, bytes]) -> bytes:
    on_paper = b"@media print {\n" + files[_PRINT] + b"}\n"
    return b"".join((*(files[f"css/{name}.css"] for name in STYLES), on_paper))


def _script(files: Mapping[str, bytes]) -> bytes:
    return "".join(_modules(files)).encode()


def _modules(files: Mapping[str, bytes]) -> Iterator[str]:
    """Yield each module in a scope of its own, and behind it what it exports."""
    for name in SCRIPTS:
        text = files[f"js/{name}.js"].decode()
        exports = _exports(text)
        body = _EXPORT.sub(r"\1", _IMPORT.sub(r"const \1 = $\2;", text))
        if _OTHER.search(body):
            raise ValueError(f"{name}.js: one line for an import, and exports as they are declared")
        if exports:
            yield f"const ${name} = (() => {{\n{body}return {exports};\n}})();\n"
            yield f"export const {exports} = ${name};\n"
        else:
            yield f"{{\n{body}}}\n"


def _exports(text: str) -> str:
    names = ", ".join(name for _, name in _EXPORT.findall(text))
    return f"{{ {names} }}" if names else ""


def _importing(content: bytes) -> bytes:
    """Return a module of one page; what it imports comes from the script of all pages."""
    return _IMPORT.sub(rf'import \1 from "./{SCRIPT.rpartition("/")[2]}";', content.decode()).encode()
