#!/bin/sh
# Installs into .venv with uv, at the versions of constraints.txt, from the index that pip is configured for (a mirror, for many of our users).
set -eu
cd "$(dirname "$0")/.."
if [ -z "${UV_DEFAULT_INDEX:-}" ]; then
    index="${PIP_INDEX_URL:-$(.venv/bin/pip config get global.index-url 2>/dev/null || true)}"
    if [ -n "$index" ]; then
        UV_DEFAULT_INDEX="$index"
        export UV_DEFAULT_INDEX
    fi
fi
exec .venv/bin/uv pip install --quiet --python .venv/bin/python -c constraints.txt "$@"
