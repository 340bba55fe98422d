"""
`python scripts/backup_restore.py` runs under any Python: it becomes one that has the packages, or says how to get it.

Each test lays out a checkout with the real scripts, a package that only reports where it arrived, and, where the
promise needs one, a real `.venv` whose site-packages hold empty modules under the names of the libraries.
"""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
REPORT = """
import json, os, sys

def main():
    print(json.dumps({
        "version": sys.version_info[:2],
        "prefix": sys.prefix,
        "arguments": sys.argv[1:],
        "encoding": sys.getfilesystemencoding(),
        "optimize": sys.flags.optimize,
        "marked": "PINNACLE_HANDED_OVER" in os.environ,
        "command_line": open("/proc/self/cmdline", "rb").read().decode().replace("\\0", " "),
    }))
    return 7
"""


def interpreter(version: str) -> str:
    """Find Python `version`, or skip the test: what a shim promises counts only if it runs."""
    places = [shutil.which(f"python{version}") or "", shutil.which("python3") or "", "/usr/bin/python3"]
    places += sorted(glob.glob(f"{os.environ.get('PYENV_ROOT', '')}/versions/{version}.*/bin/python"))
    ask = "import sys; sys.stdout.write('%d.%d %s' % (sys.version_info[0], sys.version_info[1], sys.executable))"
    for place in filter(os.path.exists, places):
        answer = subprocess.run([place, "-c", ask], capture_output=True, text=True, check=False).stdout
        if answer.startswith(version + " "):
            return answer.split(" ", 1)[1]
    pytest.skip(f"no Python {version} on this machine")


def needed() -> list[str]:
    """Read the list of packages out of the script, as it stands."""
    text = (PROJECT / "scripts/handover.py").read_text()
    return re.findall(r'"(\w+)"', "".join(re.findall(r"^NEEDED\w* = (\[[^\]]*\])", text, re.MULTILINE)))


def checkout(root: Path) -> Path:
    """Lay out a checkout without a virtual environment."""
    (root / "scripts").mkdir(parents=True)
    for name in ("handover.py", "backup_restore.py"):
        shutil.copy(PROJECT / "scripts" / name, root / "scripts")
    package = root / "src/pinnacle_backup/cli"
    package.mkdir(parents=True)
    (package / "main.py").write_text(REPORT)
    return root


def give_packages(environment: Path) -> None:
    """Put empty modules under the libraries' names into an environment."""
    (site_packages,) = environment.glob("lib/python3*/site-packages")
    for name in needed():
        (site_packages / f"{name}.py").touch()


def make_venv(folder: Path, python: str, *, packages: bool = True) -> Path:
    """Make a real virtual environment with `python`."""
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    if packages:
        give_packages(folder)
    return folder / "bin/python"


def run(
    python: str | Path, script: str | Path, *arguments: str, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a script in a bare environment of its own, as cron would."""
    bare = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", **environment}
    command = [python, script, *arguments]
    return subprocess.run(command, cwd=cwd, env=bare, capture_output=True, text=True, check=False)


def arrival(result: subprocess.CompletedProcess[str]) -> dict[str, object]:
    """Read what the package reported; its exit code must have come through."""
    assert result.stderr == ""
    assert result.returncode == 7

    report = json.loads(result.stdout)
    assert isinstance(report, dict)
    return report


@pytest.fixture
def plain_python(tmp_path: Path) -> Path:
    """A Python without any of the packages: a new environment of the one that runs the tests."""
    return make_venv(tmp_path / "plain", sys.executable, packages=False)


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.8", "3.11", "3.12", "3.13", "3.14"])
def test_any_python_becomes_the_one_in_venv(version: str, tmp_path: Path) -> None:
    """An old or a bare interpreter goes on in `.venv`, from any folder, with the arguments as given."""
    python = interpreter(version)
    root = checkout(tmp_path / "my studio")
    make_venv(root / ".venv", sys.executable)
    script = root / "scripts/backup_restore.py"

    report = arrival(run(python, script, "restore", "", "ä b.tar.gz", cwd=tmp_path))

    assert report["version"] == list(sys.version_info[:2])
    assert report["prefix"] == str(root / ".venv")
    assert report["arguments"] == ["restore", "", "ä b.tar.gz"]
    assert report["marked"] is False


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_an_interpreter_with_the_packages_runs_by_itself(version: str, tmp_path: Path) -> None:
    """Where everything can be imported there is no hand-over, `.venv` or not."""
    root = checkout(tmp_path / "checkout")
    make_venv(root / ".venv", sys.executable)
    own = make_venv(tmp_path / "own", interpreter(version))

    report = arrival(run(own, "scripts/backup_restore.py", "list", cwd=root))

    assert report["prefix"] == str(tmp_path / "own")


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.8"])
def test_an_old_python_without_venv_says_what_to_run(version: str, tmp_path: Path) -> None:
    """One line with the version found, the version wanted and the command; exit code 3."""
    root = checkout(tmp_path / "checkout")

    result = run(interpreter(version), root / "scripts/backup_restore.py", "list", cwd=tmp_path)

    assert result.returncode == 3
    assert result.stdout == ""
    assert re.fullmatch(
        rf"Pinnacle Backup needs Python 3\.11 or newer and this is {re.escape(version)}\.\S+; "
        rf"run `make start` in {re.escape(str(root))}\n",
        result.stderr,
    )


def test_missing_packages_without_venv_are_named(plain_python: Path, tmp_path: Path) -> None:
    """One line with what is missing and the command; exit code 3."""
    root = checkout(tmp_path / "checkout")

    result = run(plain_python, root / "scripts/backup_restore.py", "list", cwd=tmp_path)

    assert result.returncode == 3
    assert result.stderr.count("\n") == 1
    assert "missing: apsw, " in result.stderr
    assert f"run `make start` in {root}" in result.stderr


def test_an_incomplete_venv_does_not_loop(plain_python: Path, tmp_path: Path) -> None:
    """A `.venv` that lacks packages itself ends with the same line and not in an endless exchange."""
    root = checkout(tmp_path / "checkout")
    make_venv(root / ".venv", sys.executable, packages=False)

    result = run(plain_python, root / "scripts/backup_restore.py", cwd=tmp_path)

    assert result.returncode == 3
    assert "missing: apsw, " in result.stderr


def test_a_venv_whose_python_is_gone_counts_as_none(plain_python: Path, tmp_path: Path) -> None:
    """After the system's Python was upgraded away, the dangling link leads to the line, not to a traceback."""
    root = checkout(tmp_path / "checkout")
    (root / ".venv/bin").mkdir(parents=True)
    (root / ".venv/bin/python").symlink_to("/nowhere/python")

    result = run(plain_python, root / "scripts/backup_restore.py", cwd=tmp_path)

    assert result.returncode == 3
    assert result.stderr.count("\n") == 1


def test_the_command_line_stays_as_typed(plain_python: Path, tmp_path: Path) -> None:
    """`pkill -f "python SCRIPT"` of the guide finds the process after the hand-over too."""
    root = checkout(tmp_path / "checkout")
    make_venv(root / ".venv", sys.executable)

    report = arrival(run(plain_python, "scripts/backup_restore.py", "status", cwd=root))

    assert str(report["command_line"]).endswith("/bin/python scripts/backup_restore.py status ")


def test_a_locale_without_utf8_is_overridden(tmp_path: Path) -> None:
    """File names are handled as UTF-8 whatever the locale, with and without a hand-over."""
    root = checkout(tmp_path / "checkout")
    own = make_venv(tmp_path / "own", sys.executable)
    locale = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}

    report = arrival(run(own, "scripts/backup_restore.py", cwd=root, **locale))

    assert report["encoding"] == "utf-8"
    assert report["prefix"] == str(tmp_path / "own")


def test_options_of_the_interpreter_are_kept(tmp_path: Path) -> None:
    """`python -O -I SCRIPT` stays optimised and isolated, and works."""
    root = checkout(tmp_path / "checkout")
    plain = make_venv(tmp_path / "plain", sys.executable, packages=False)
    make_venv(root / ".venv", sys.executable)
    command = [str(plain), "-O", "-I", str(root / "scripts/backup_restore.py"), "list"]

    report = arrival(subprocess.run(command, capture_output=True, text=True, check=False))

    assert report["optimize"] == 1
    assert report["arguments"] == ["list"]


def test_the_list_of_packages_is_the_projects() -> None:
    """What the hand-over looks for is exactly what pyproject.toml requires."""
    requirements = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[.=><;]", requirement)[0].replace("-", "_") for requirement in requirements}

    assert set(needed()) == names - {"argon2_cffi"} | {"argon2"}  # the one whose module is called otherwise


@pytest.mark.parametrize("version", ["2.7", "3.8", "3.11"])
def test_the_server_is_started_by_any_python_too(version: str, tmp_path: Path) -> None:
    """`python start_server.py` is the command `serve`, with the same options."""
    python = interpreter(version)
    root = checkout(tmp_path / "my studio")
    shutil.copy(PROJECT / "start_server.py", root)
    make_venv(root / ".venv", sys.executable)

    report = arrival(run(python, root / "start_server.py", "--port", "8001", cwd=tmp_path))

    assert report["arguments"] == ["serve", "--port", "8001"]
