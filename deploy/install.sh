# What deploy/prepare, deploy/tool and tests/bench/matching/peers/install share: saying what is done, and installing
# packages of Debian or Ubuntu.
# shellcheck shell=sh
cache="${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/updraft"

say() { echo "${0##*/}: $*" >&2; }

fail() {
    say "$@"
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

can_apt() {
    has apt-get && as_root true 2>/dev/null
}

# The package lists of a fresh image are empty: they are fetched if a package is not found without. What apt-get
# says is shown only if it fails.
apt_install() {
    can_apt || return 1
    say "installing $* with apt-get"
    apt_try "$@" >/dev/null 2>&1 || aloud_if_failed apt_update_and_try "$@"
}

apt_update_and_try() {
    as_root apt-get -qq update && apt_try "$@"
}

apt_try() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
        -o Dpkg::Options::=--force-confold "$@"
}

aloud_if_failed() {
    log=$(mktemp) || return 1
    failed=0
    "$@" >"$log" 2>&1 || failed=1
    [ "$failed" = 0 ] || cat "$log" >&2
    rm -f "$log"
    return "$failed"
}
