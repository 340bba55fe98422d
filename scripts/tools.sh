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

PATH=$PATH:/usr/sbin:/sbin
missing= packages=
for command in "$@"; do
    command -v "$command" >/dev/null && continue
    missing="$missing $command"
    packages="$packages $(package_of "$command")"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing$packages ..."
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    { apt-get install -qq -y --no-install-recommends $packages || {
        apt-get update -qq && apt-get install -qq -y --no-install-recommends $packages; }; } >"$log" 2>&1 &&
        rm "$log" && exit 0
    tail -n 3 "$log" >&2
    rm "$log"
fi
echo "Not installed:$missing; what needs them is skipped (apt-get install$packages)" >&2
