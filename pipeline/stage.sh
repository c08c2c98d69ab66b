#!/bin/sh
# Run a stage with the project's own Python, whoever calls DVC and wherever DVC put this copy of the tree:
# queued experiments run in a copy under .dvc/tmp, so .venv is looked for in this folder and in those above.
here=$(pwd)
while [ ! -x "$here/.venv/bin/python" ] && [ "$here" != / ]; do here=$(dirname "$here"); done
if [ -x "$here/.venv/bin/python" ]; then
    exec "$here/.venv/bin/python" -m pipeline stage "$1"
fi
exec python -m pipeline stage "$1"
