"""
Find an interpreter that can run Pinnacle Backup: a plain `python SCRIPT` works with any Python around.

This file must parse under every Python still met on servers, 2.7 included, because that interpreter has
to read it in order to say what is wrong. Hence type comments and no newer syntax.
"""

import os
import sys

OLDEST = (3, 11)
NEEDED = [
    "apsw",
    "argon2",
    "blake3",
    "botocore",
    "click",
    "cronsim",
    "cryptography",
    "fastapi",
    "isal",
    "jinja2",
    "msgspec",
    "obstore",
    "pathspec",
    "prometheus_client",
    "pyfastcdc",
    "python_multipart",
    "rich",
    "segno",
    "uvicorn",
]
NEEDED_BEFORE_3_14 = ["backports"]
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HANDED_OVER = "PINNACLE_HANDED_OVER"  # set on the way into the other interpreter, taken back on arrival
USAGE_ERROR = 3


def hand_over():
    # type: () -> None
    """
    Return where the packages can be imported and file names are UTF-8, else become such an interpreter.

    The command line stays what was typed, `python SCRIPT ARGUMENTS`, so that `pkill -f` still finds it.
    """
    arrived = os.environ.pop(HANDED_OVER, None) is not None
    sys.path.insert(0, os.path.join(ROOT, "src"))
    too_old = sys.version_info < OLDEST
    if too_old or missing():
        python = os.path.join(ROOT, ".venv", "bin", "python")
        if arrived or not os.access(python, os.X_OK):
            give_up(too_old)
        become(python)
    elif not arrived and not names_are_utf8():
        become(sys.executable)


def missing():
    # type: () -> list[str]
    """Name the packages that this interpreter lacks, without importing any."""
    from importlib.util import find_spec  # noqa: PLC0415 - Python 2 has none and must get past the top

    needed = NEEDED + (NEEDED_BEFORE_3_14 if sys.version_info < (3, 14) else [])
    return [name for name in needed if find_spec(name) is None]


def names_are_utf8():
    # type: () -> bool
    """Tell whether file names are UTF-8 here, as they are unless the locale says otherwise."""
    return sys.getfilesystemencoding().lower().replace("-", "") == "utf8"


def give_up(too_old):
    # type: (bool) -> None
    """Say in one line what to run, and exit."""
    if too_old:
        fault = "Pinnacle Backup needs Python 3.11 or newer and this is " + sys.version.split()[0]
    else:
        fault = "Pinnacle Backup is not installed completely (missing: " + ", ".join(missing()) + ")"
    sys.stderr.write(fault + "; run `make start` in " + ROOT + "\n")
    sys.exit(USAGE_ERROR)


def become(python):
    # type: (str) -> None
    """Replace this process by the same command line under `python`, with UTF-8 names."""
    os.environ[HANDED_OVER] = "1"
    if not names_are_utf8():
        os.environ["PYTHONUTF8"] = "1"
    options_and_script = sys.orig_argv[1:] if sys.version_info >= (3, 10) else sys.argv
    os.execv(python, [python] + options_and_script)  # noqa: RUF005 - Python 2 cannot unpack here
