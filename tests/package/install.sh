#!/usr/bin/env bash
# The life of the Debian package in a clean root: installed there with nothing but what it asks for, it makes a map, serves
# it as its own user, answers a route, copies its store, is upgraded, removed and purged, and the town is still there.
# There is no systemd in that root: what the units start is started by hand, with the words of the units.
# Usage: install.sh CPACK BUILD_DIR WORK_DIR
set -u -o pipefail
cpack=$1 build=$2 work=$3
skip() {
    echo "SKIP: $*"
    exit 77
}
[ -n "${HOUTAO_TEST_LONG:-}" ] || skip "installs a Debian from the network: for --long"
[ "$(id -u)" = 0 ] || skip "a root is made by root alone"
command -v debootstrap >/dev/null || skip "debootstrap is not installed"
. /etc/os-release
suite=${VERSION_CODENAME:-}
[ "${ID:-}" = debian ] || skip "the package is for the Debian that it was built on, and this is ${ID:-none}"

root=$work/root
server=
failed=0
fail() {
    echo "$*"
    failed=1
}
finish() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null
    rm -rf --one-file-system "$root"
}
trap finish EXIT

# inside COMMAND...: in the root, with /proc of its own and no other variables.
inside() {
    unshare --mount --pid --fork --kill-child bash -c 'mount -t proc proc "$1/proc" && shift && exec "$@"' - "$root" \
        chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}
# as_service COMMAND...: the same as the service's user, where the service works.
as_service() {
    inside setpriv --reuid=houtao --regid=houtao --clear-groups --no-new-privs env -C /var/lib/houtao "$@"
}
# What a unit starts: its ExecStart, as words.
command_of() {
    sed -n 's/^ExecStart=//p' "$root/usr/lib/systemd/system/$1"
}

rm -rf --one-file-system "$work" && mkdir -p "$work"
"$cpack" --config "$build/CPackConfig.cmake" -G DEB -B "$work" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
debootstrap --variant=minbase "$suite" "$root" >"$work/log" 2>&1 || skip "debootstrap: $(tail -n 1 "$work/log")"
cp "$work"/houtao_*.deb "$root/houtao.deb"

echo "-- installs"
said=$(inside sh -c 'apt-get update -q && apt-get install -q -y --no-install-recommends /houtao.deb' 2>&1) ||
    { echo "$said" | tail -n 20; exit 1; }
[[ $said == *"there is no map at /var/lib/houtao/town.hnet yet"* ]] || fail "it does not say what to do next"
[ "$(inside stat -c '%U %G %a' /var/lib/houtao)" = "houtao houtao 750" ] || fail "/var/lib/houtao is not the service's"
[ "$(inside stat -c '%U %G %a' /var/backups/houtao)" = "houtao houtao 700" ] || fail "/var/backups/houtao is not closed"
inside houtao --version || fail "it does not run"
said=$(as_service $(command_of houtao.service) 2>&1)
[ $? -eq 1 ] || fail "without a map it should end with 1: $said"

echo "-- makes a map and a town"
inside houtao sample -o /tmp/town >"$work/log" 2>&1 || fail "sample: $(cat "$work/log")"
inside houtao import /tmp/town/streets.osm.pbf -o /var/lib/houtao/town.hnet >"$work/log" 2>&1 || fail "import: $(cat "$work/log")"
as_service houtao load --store /var/lib/houtao/town.sqlite --collection facilities /tmp/town/facilities.csv >"$work/log" 2>&1 ||
    fail "load: $(cat "$work/log")"

echo "-- serves"
# a free port, as an operator would write it into the configuration, and a log for machines
printf 'listen = 127.0.0.1:0\nlog = json\n' >>"$root/etc/houtao/houtao.conf"
: >"$work/served"
as_service $(command_of houtao.service) 2>"$work/served" &
server=$!
port=
for ((i = 0; i < 1200; i++)); do
    port=$(sed -n 's/.*"message":"http:\/\/127\.0\.0\.1:\([0-9]*\)".*/\1/p' "$work/served")
    [ -z "$port" ] || break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
done
[ -n "$port" ] || { echo "it did not start: $(cat "$work/served")"; exit 1; }
route=$(curl -sf "http://127.0.0.1:$port/route/v1/car/121.70,29.95;121.73,29.96")
[[ $route == '{"code":"Ok"'* ]] || fail "it answers no route: $route"
console=$(curl -sf -H 'Accept: text/html' "http://127.0.0.1:$port/")
[[ $console == *'<!doctype html'* || $console == *'<!DOCTYPE html'* ]] || fail "it shows no page"
kitchen=$(curl -sf "http://127.0.0.1:$port/collections/facilities/items/kitchen-1")
[[ $kitchen == *kitchen-1* ]] || fail "it knows no kitchen: $kitchen"

echo "-- copies its store"
for i in 1 2 3; do
    as_service $(command_of houtao-backup.service) --keep 2 >"$work/log" || fail "backup $i"
    sleep 1.1 # copies are named by the second
done
[ "$(find "$root/var/backups/houtao" -name 'town-*Z.sqlite' | wc -l)" = 2 ] || fail "two copies should be kept"
copy=$(tail -n 1 "$work/log")
as_service houtao audit "$copy" >"$work/log" 2>&1 || fail "the copy does not hold: $(cat "$work/log")"

echo "-- stops, is upgraded, removed and purged"
pid=$(pgrep -P "$server" -x houtao || pgrep -P "$(pgrep -P "$server" | head -n 1)" -x houtao)
kill -TERM "$pid"
wait "$server" || fail "it ended badly: $(cat "$work/served")"
server=
mkdir "$work/newer" && (cd "$work/newer" && dpkg-deb -R ../houtao_*.deb tree &&
    sed -i 's/^Version: .*/&.1/' tree/DEBIAN/control && dpkg-deb -b tree "$root/newer.deb") >"$work/log" 2>&1
inside apt-get install -q -y /newer.deb >"$work/log" 2>&1 || fail "upgrade: $(tail -n 5 "$work/log")"
[[ $(inside dpkg-query -W -f '${Version}' houtao) == *.1 ]] || fail "the newer one was not taken"
grep -q '^log = json$' "$root/etc/houtao/houtao.conf" || fail "an upgrade lost what was configured"
inside apt-get remove -q -y houtao >"$work/log" 2>&1 || fail "remove: $(tail -n 5 "$work/log")"
[ -e "$root/etc/houtao/houtao.conf" ] || fail "remove takes the configuration"
[ ! -e "$root/usr/bin/houtao" ] || fail "remove leaves the binary"
said=$(inside apt-get purge -q -y houtao 2>&1) || fail "purge: $said"
[[ $said == *"the town in /var/lib/houtao is left"* ]] || fail "purge does not say what it leaves: $said"
[ -e "$root/var/lib/houtao/town.sqlite" ] || fail "purge took the town's store"
[ -e "$root/$copy" ] || fail "purge took the copies"
[ ! -e "$root/etc/houtao/houtao.conf" ] || fail "purge leaves the configuration"
inside getent passwd houtao >/dev/null || fail "purge took the user whose files are there"

echo "-- and goes without a trace where there was no town"
inside rm -rf /var/lib/houtao /var/backups/houtao
inside apt-get install -q -y /newer.deb >"$work/log" 2>&1 || fail "again: $(tail -n 5 "$work/log")"
inside apt-get purge -q -y houtao >"$work/log" 2>&1 || fail "purge: $(tail -n 5 "$work/log")"
[ ! -e "$root/var/lib/houtao" ] && [ ! -e "$root/var/backups/houtao" ] && [ ! -e "$root/etc/houtao" ] ||
    fail "empty folders stay"
inside getent passwd houtao >/dev/null && fail "the user stays"
exit "$failed"
