#!/bin/sh
# kubectl jobflow: the first call installs jobflow into a folder beside this file, with the versions and hashes of its lock file.
# Needs Python 3.11 or newer (JOBFLOW_PYTHON, by default python3) and, for that first call, the Python package registry.
set -eu
here=$(dirname "$(readlink -f "$0")")
env=$here/env

if [ ! -f "$env/.complete" ]; then
    python=${JOBFLOW_PYTHON:-python3}
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "kubectl jobflow needs Python 3.11 or newer: set JOBFLOW_PYTHON to it" >&2
        exit 1
    fi
    echo "kubectl jobflow: installing Python packages, only this once ..." >&2
    rm -rf "$env"
    "$python" -m venv "$env"
    PIP_DISABLE_PIP_VERSION_CHECK=1
    export PIP_DISABLE_PIP_VERSION_CHECK
    "$env/bin/python" -m pip install --quiet --no-deps --require-hashes --only-binary=:all: -r "$here/requirements.lock" >&2
    "$env/bin/python" -m pip install --quiet --no-deps --no-index "$here"/jobflow-*.whl >&2
    touch "$env/.complete"
fi
exec "$env/bin/kubectl-jobflow" "$@"
