#!/bin/sh
# Pin what runs (run.lock) and what checks (dev.lock), with hashes, for Python 3.11 and later.
# Needs uv. `requirements/lock.sh --upgrade` moves to the newest releases.
set -eu
cd "$(dirname "$0")/.."
compile() {
    uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --quiet --no-config \
        --no-emit-index-url --no-emit-find-links --custom-compile-command requirements/lock.sh \
        pyproject.toml requirements/build.in "$@"
}
compile --output-file requirements/run.lock "$@"
compile --group dev --constraint requirements/run.lock --output-file requirements/dev.lock "$@"
