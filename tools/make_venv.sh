#!/bin/sh
# make_venv.sh FOLDER LOCK_FILE [PACKAGE_FOLDER…]: a virtual environment with exactly what the lock file names, hashes checked, and
# then this repository's own packages in editable form. Whatever was in FOLDER before is replaced when it is complete.
set -eu
folder=$1 lock=$2
shift 2

say() { echo "setup: $*" >&2; }

say "$folder: installing $(grep -c '^[a-z0-9]' "$lock") packages from $lock"
# made under its final name, because its scripts hold it; the stamp that make looks for is written last
rm -rf "$folder"
python3 -m venv "$folder" || {
    say "python3 -m venv failed: run apt-get install python3-venv, then make setup again"
    exit 1
}
"$folder/bin/python" -m pip install --quiet --no-input --disable-pip-version-check --no-compile --no-deps --require-hashes -r "$lock" || {
    say "pip could not install $lock: without a network there is nothing to install from, otherwise see the lines above"
    exit 1
}
for package in "$@"; do
    "$folder/bin/python" -m pip install --quiet --no-input --disable-pip-version-check --no-deps --no-build-isolation --no-index \
        --editable "$package" || {
        say "pip could not install $package: see the lines above"
        exit 1
    }
done
