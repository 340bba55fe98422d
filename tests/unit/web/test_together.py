"""What all pages share: one style sheet and one script, with the same rules and the same names as the files."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from pinnacle_backup.web.together import SCRIPT, SCRIPTS, STYLE, STYLES, put_together

EMPTY = {
    **{f"css/{name}.css": f".{name} {{}}\n".encode() for name in (*STYLES, "print")},
    **{f"js/{name}.js": b"" for name in SCRIPTS},
}


def test_styles_keep_their_order_and_those_for_paper_stay_on_paper() -> None:
    style = put_together(EMPTY)[STYLE].decode()
    assert style == "".join(f".{name} {{}}\n" for name in STYLES) + "@media print {\n.print {}\n}\n"


def test_what_is_of_one_page_stays_as_it_is_but_for_its_imports() -> None:
    own = b'import { on } from "./dom.js";\nimport { toast } from "./toast.js";\non(toast);\n'
    served = put_together({**EMPTY, "css/browse.css": b"a {}", "js/own.js": own, "icons.svg": b"<svg/>"})
    assert set(served) == {STYLE, SCRIPT, "css/browse.css", "js/own.js", "icons.svg"}
    assert served["css/browse.css"] == b"a {}"
    assert (
        served["js/own.js"]
        == b'import { on } from "./all.js";\nimport { toast } from "./all.js";\non(toast);\n'
    )


@pytest.mark.parametrize(
    "line",
    [
        'import * as dom from "./dom.js";',
        'import "./dom.js";',
        "export default 1;",
        "export { a };",
        "export let a;",
    ],
)
def test_what_it_cannot_put_together_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"words\.js"):
        put_together({**EMPTY, "js/words.js": f"{line}\n".encode()})


@pytest.mark.skipif(
    shutil.which("node") is None, reason="there is no other JavaScript here than the browser's"
)
def test_each_module_keeps_its_names_to_itself(tmp_path: Path) -> None:
    """Two may use one name for different things, and each runs once, in order."""
    files = {
        **EMPTY,
        "js/dom.js": b'const own = "d";\nexport const all = () => own;\nexport async function make() {}\n',
        "js/words.js": b'import { all } from "./dom.js";\nconst own = "w";\nexport class size { at = all() + own; }\n',
        "js/tabs.js": b'import { all } from "./dom.js";\nfunction own() {}\nglobalThis.ran = [all()];\n',
        "js/copy.js": b'import { size } from "./words.js";\nglobalThis.ran.push(new size().at);\n',
        "js/page.js": b'import { all, make } from "./dom.js";\n'
        b"console.log(JSON.stringify([all(), typeof make, ran, typeof own]));\n",
    }
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "js").mkdir()
    for path, content in put_together(files).items():
        if path.startswith("js/"):
            (tmp_path / path).write_bytes(content)
    told = subprocess.run(["node", "js/page.js"], cwd=tmp_path, capture_output=True, check=True, text=True)
    assert json.loads(told.stdout) == ["d", "function", ["d", "dw"], "undefined"]
