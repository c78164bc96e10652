#!/usr/bin/env bash
# Builds the image of api/package/Containerfile and lets a container of it live: a map is made in its volume, a token, it
# serves as its own user, answers a route to who has the token alone, finds itself healthy, copies its store, ends well.
# With buildah, which needs no daemon; what the file takes from a registry of images is made here, by debootstrap.
# Usage: container.sh SOURCE_DIR WORK_DIR
set -u -o pipefail
source=$1 work=$2
skip() {
    echo "SKIP: $*"
    exit 77
}
[ -n "${HOUTAO_TEST_LONG:-}" ] || skip "builds all of it in a Debian from the network: for --long"
[ "$(id -u)" = 0 ] || skip "a root is made by root alone"
for tool in buildah debootstrap curl; do
    command -v "$tool" >/dev/null || skip "$tool is not installed"
done

server=
failed=0
fail() {
    echo "$*"
    failed=1
}
# Images and containers of this test alone, as plain folders: that works wherever a chroot does.
images() { buildah --root "$work/images" --runroot "$work/run" --storage-driver vfs "$@"; }
finish() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null
    images rm --all >/dev/null 2>&1
    rm -rf --one-file-system "$work/images" "$work/run" "$work/root"
}
trap finish EXIT

rm -rf --one-file-system "$work" && mkdir -p "$work"
debootstrap --variant=minbase bookworm "$work/root" >"$work/log" 2>&1 || skip "debootstrap: $(tail -n 1 "$work/log")"
base=$(images from scratch) && images add -q "$base" "$work/root" / >/dev/null || skip "buildah can't make an image here"
images commit -q "$base" docker.io/library/debian:bookworm >/dev/null || skip "buildah can't keep an image here"
images tag docker.io/library/debian:bookworm docker.io/library/debian:bookworm-slim
rm -rf --one-file-system "$work/root"

echo "-- builds"
images build --isolation chroot --pull-never --format docker -f "$source/api/package/Containerfile" -t houtao "$source" \
    >"$work/log" 2>&1 || { tail -n 30 "$work/log"; exit 1; }
grep -q '^run: without the console' "$work/log" && fail "the image has no console"

echo "-- serves"
container=$(images from --pull-never houtao)
# inside COMMAND...: as a container of it runs it, with its user and its variables, in this machine's network.
inside() { images run --isolation chroot "$container" -- "$@"; }
[ "$(inside id -un)" = houtao ] || fail "it runs as $(inside id -un)"
inside houtao sample -o /data/town >"$work/log" 2>&1 || fail "sample: $(tail -n 3 "$work/log")"
inside houtao import /data/town/streets.osm.pbf -o /data/town.hnet >"$work/log" 2>&1 || fail "import: $(tail -n 3 "$work/log")"
token=$(inside houtao token add /data/tokens --name viewer --role viewer | head -n 1)
[ -n "$token" ] || fail "it makes no token"
inside houtao load --store /data/town.sqlite --collection facilities /data/town/facilities.csv >"$work/log" 2>&1 ||
    fail "load: $(tail -n 3 "$work/log")"
port=$((20000 + RANDOM % 10000))
inside env HOUTAO_LISTEN="0.0.0.0:$port" houtao serve >"$work/served" 2>&1 &
server=$!
for ((i = 0; i < 600; i++)); do
    curl -sf "http://127.0.0.1:$port/readyz" >/dev/null && break
    kill -0 "$server" 2>/dev/null || { echo "it did not start: $(cat "$work/served")"; exit 1; }
    sleep 0.2
done
ask() { curl -s -o "$work/answer" -w '%{http_code}' "$@"; }
way="http://127.0.0.1:$port/route/v1/car/121.70,29.95;121.73,29.96"
[ "$(ask "$way")" = 401 ] || fail "it answers without a token"
[ "$(ask -H "Authorization: Bearer $token" "$way")" = 200 ] || fail "it answers no route: $(cat "$work/answer")"
[ "$(ask -H 'Accept: text/html' "http://127.0.0.1:$port/")" = 200 ] && grep -qi '<!doctype html' "$work/answer" || fail "it shows no page"

# Its own words for how it is, with the port of this test.
probe=$(images inspect --type image --format '{{index .Docker.Config.Healthcheck.Test 3}}' houtao)
inside bash -c "${probe//8080/$port}" || fail "it does not find itself healthy: $probe"
inside bash -c "${probe//8080/1}" 2>/dev/null && fail "it would be healthy in any case"

echo "-- copies its store, and ends"
inside houtao backup -o /data --keep 14 >"$work/log" 2>&1 || fail "backup: $(cat "$work/log")"
pid=$(pgrep -x houtao | while read -r one; do
    grep -qz "HOUTAO_LISTEN=0.0.0.0:$port" "/proc/$one/environ" 2>/dev/null && echo "$one"
done | head -n 1)
[ -n "$pid" ] && kill -TERM "$pid"
wait "$server" || fail "it ended badly: $(cat "$work/served")"
server=
exit "$failed"
