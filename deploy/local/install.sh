#!/bin/sh
# Bring .venv to exactly requirements/all.txt. uv is taken from the PATH, or fetched into .tools/ once, by hash.
# Called by make whenever the requirements changed; PYTHON names another interpreter.
set -eu
cd "$(dirname "$0")/../.."

fail() {
    printf '\n%s\n' "$@" >&2
    exit 1
}

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    candidates=${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}
    for candidate in $candidates; do
        if recent "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed. Not found among: $candidates." \
        "Debian 12, Ubuntu 24.04 and newer: apt install python3 python3-venv. Elsewhere: make PYTHON=/path/to/python3.12 …"
}

# Debian splits ensurepip into python3-venv: without it `venv` fails, and a separate pip can still do the job.
fetch_uv() {
    echo "Fetching uv into .tools/ …"
    rm -rf .tools/bootstrap .tools/uv
    mkdir -p .tools
    if "$python" -m venv .tools/bootstrap >.tools/bootstrap.log 2>&1; then
        .tools/bootstrap/bin/python -m pip install --quiet --require-hashes --requirement requirements/uv.txt
    elif rm -rf .tools/bootstrap && "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m pip install --quiet --require-hashes --target .tools/bootstrap --requirement requirements/uv.txt
    else
        fail "This Python can neither make a virtual environment nor run pip (details: .tools/bootstrap.log)." \
            "Install one of them, then try again:  apt install python3-venv"
    fi
    ln -s bootstrap/bin/uv .tools/uv
}

python=$(find_python)
if command -v uv >/dev/null 2>&1; then
    uv=uv
else
    uv=.tools/uv
    "$uv" --version >/dev/null 2>&1 || fetch_uv
fi

export UV_PYTHON_DOWNLOADS=never
if ! recent .venv/bin/python; then
    "$uv" venv --quiet --clear --python "$python" .venv
fi
echo "Installing requirements/all.txt into .venv …"
# Compiled now, so that the first start is as fast as the second.
"$uv" pip sync --quiet --require-hashes --compile-bytecode --python .venv/bin/python requirements/all.txt
touch .venv/.installed
