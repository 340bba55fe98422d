#!/bin/sh
# Install into .venv what requirements/GROUP.lock pins and the project itself: `install.sh run` or `install.sh dev`.
# Does nothing where that has been done. Another interpreter: `PYTHON=/path/to/python make start`.
set -eu
cd "$(dirname "$0")/.."
group=$1

# A moved folder needs a new environment too: the scripts in it name their interpreter by its full path.
wanted=$( (pwd; cat "requirements/$group.lock" pyproject.toml src/pinnacle_backup/__init__.py) | sha256sum)
stamp=.venv/installed-$group
[ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && exit 0

find_python() {
    fault='no Python 3.11 or newer found: install one, or name it with `make start PYTHON=...`'
    for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        "$python" -c 'import ensurepip' 2>/dev/null && return
        fault="$python cannot make virtual environments: run \`apt-get install python3-venv\`, or its like, first"
    done
    echo "$fault" >&2
    exit 3
}

if [ "$(cat .venv/folder 2>/dev/null)" != "$PWD" ] || ! .venv/bin/python -c '' 2>/dev/null; then
    find_python
    echo "Making .venv with $("$python" --version) ..."
    "$python" -m venv --clear .venv
    pwd >.venv/folder
fi
echo "Installing from requirements/$group.lock ..."
pip="env PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip install -qq"
$pip --require-hashes -r "requirements/$group.lock"
$pip --no-deps --no-build-isolation --editable .
echo "$wanted" >"$stamp"
