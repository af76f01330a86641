#!/bin/sh
# Installs by apt what Python packages cannot bring, and only what is missing. Asks for sudo only when there is something to install.
set -eu

version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || {
    echo "setup: there is no python3 on the PATH: install Python 3.11 or newer (Debian 12, Ubuntu 24.04 have it)" >&2
    exit 1
}
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "setup: python3 is $version, Uri-AI needs 3.11 or newer: put a newer one first on the PATH" >&2
    exit 1
}

PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
packages="" why=""
need() { packages="$packages $1" why="$why
  - $1: $2"; }

python3 -c 'import venv, ensurepip' 2>/dev/null || need python3-venv "makes the virtual environments that everything else goes into"
# the -core packages hold the same server as mariadb-server, but start no service of the system
command -v mariadbd >/dev/null && command -v mariadb-install-db >/dev/null ||
    need "mariadb-server-core mariadb-client-core" "the database; a private one, no service of the system is started"
command -v openssl >/dev/null || need openssl "makes the certificate of the private database"

[ -n "$packages" ] || exit 0

command -v apt-get >/dev/null || {
    echo "setup: missing:$packages; this is no Debian or Ubuntu, so install them by hand and run make setup again" >&2
    exit 1
}
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "setup: missing:$packages; there is no sudo here, so have an administrator run: apt-get install$packages" >&2
        exit 1
    }
    echo "setup: sudo is needed once, to install with apt:$why" >&2
    as_root="sudo"
fi
echo "setup: installing$packages" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
{ $as_root apt-get update -q && $as_root apt-get install -q -y --no-install-recommends $packages; } >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    echo "setup: apt-get could not install$packages: see the lines above" >&2
    exit 1
}
