#!/bin/sh
# Installs the Debian packages named as arguments that are missing, where it may; else says what to install.
# python3-venv is asked for only where the Python at hand cannot make virtual environments.
set -eu

missing=""
for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    sudo=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo="sudo"
else
    echo "Parley needs these system packages; install them and run make again:  sudo apt-get install$missing" >&2
    exit 1
fi
command -v apt-get >/dev/null || { echo "Parley needs these Debian packages or their kin:$missing" >&2; exit 1; }
echo "installing:$missing" >&2
$sudo apt-get update -qq
# shellcheck disable=SC2086  # a list of words
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
