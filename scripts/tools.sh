#!/bin/sh
# Install the missing ones of the named commands with apt, where that is possible.
# Where it is not, tests that need one skip with a reason.
set -eu

package_of() {
    case $1 in
        borg) echo borgbackup ;;
        bsdtar) echo libarchive-tools ;;
        7z) echo p7zip-full ;;
        setfacl) echo acl ;;
        setfattr) echo attr ;;
        setcap) echo libcap2-bin ;;
        *) echo "$1" ;;
    esac
}

look_for() {
    missing= packages=
    for command in "$@"; do
        command -v "$command" >/dev/null && continue
        missing="$missing $command"
        packages="$packages $(package_of "$command")"
    done
    [ -n "$missing" ] || exit 0
}

install() {
    apt-get install -qq -y --no-install-recommends "$@"
}

# All at once is quicker; one by one, a package that this system does not have keeps no other away.
install_all() {
    install "$@" && return
    apt-get update -qq && install "$@" && return
    for package in "$@"; do
        install "$package" || :
    done
}

PATH=$PATH:/usr/sbin:/sbin
look_for "$@"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing$packages ..."
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    trap 'rm "$log"' EXIT
    install_all $packages >"$log" 2>&1
    look_for "$@"
    tail -n 3 "$log" >&2
fi
echo "Not installed:$missing; what needs them is skipped, or slower (apt-get install$packages)" >&2
