#!/usr/bin/env bash
# Makes the Debian package and looks at it: what it needs, what it brings with which rights, whether its scripts, units
# and configuration can be read. (That it installs, runs and goes again is tests/package/install.sh.)
# Usage: deb.sh CPACK BUILD_DIR WORK_DIR
set -u -o pipefail
cpack=$1 build=$2 work=$3
for tool in dpkg-deb dpkg-shlibdeps file; do
    command -v "$tool" >/dev/null || { echo "SKIP: $tool is not installed"; exit 77; }
done
failed=0
fail() {
    echo "$*"
    failed=1
}

rm -rf "$work" && mkdir -p "$work"
"$cpack" --config "$build/CPackConfig.cmake" -G DEB -B "$work" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
deb=$(ls "$work"/houtao_*.deb)
field() { dpkg-deb -f "$deb" "$1"; }

# What it needs: linked libraries, those that are loaded later, and what its scripts call.
for library in libc6 libevent-2.1 libexpat1 libgeos-c1 libproj libpq5 libspatialite libsqlite3-0 libssl3 libyajl2 libzstd1 zlib1g \
    adduser tzdata; do
    [[ " $(field Depends)," == *" $library"* ]] || fail "it does not depend on $library: $(field Depends)"
done
[ "$(field Package)" = houtao ] || fail "it is called $(field Package)"
[ "$(field Section)" = science ] || fail "its section is $(field Section)"
[[ $(field Maintainer) == *@* ]] || fail "nobody maintains it"
[ "$(field Description | wc -l)" -gt 5 ] || fail "its description is short"
field Description | tail -n +2 | grep -qv '^ ' && fail "its description is not indented"
dpkg --compare-versions "$(field Version)" ge 0.1.0 || fail "its version is $(field Version)"

# What it brings.
dpkg-deb -c "$deb" | awk '{ print $1, $2, $6 }' >"$work/contents"
while read -r rights path; do
    grep -qxF -e "$rights root/root .$path" "$work/contents" || fail "it lacks $path ($rights)"
done <<'TEXT'
-rwxr-xr-x /usr/bin/houtao
-rw-r--r-- /usr/share/houtao/profiles/car.json
-rw-r--r-- /usr/share/houtao/profiles/van.json
-rw-r--r-- /usr/share/houtao/profiles/emergency.json
-rw-r--r-- /usr/share/houtao/profiles/ebike.json
-rw-r--r-- /usr/share/houtao/profiles/foot.json
-rw-r--r-- /usr/share/houtao/openapi.json
-rw-r--r-- /usr/share/man/man1/houtao.1.gz
-rw-r--r-- /usr/share/doc/houtao/copyright
-rw-r--r-- /usr/share/doc/houtao/README.md
-rw-r--r-- /usr/lib/systemd/system/houtao.service
-rw-r--r-- /usr/lib/systemd/system/houtao@.service
-rw-r--r-- /usr/lib/systemd/system/houtao-backup.service
-rw-r--r-- /usr/lib/systemd/system/houtao-backup.timer
-rw-r--r-- /etc/houtao/houtao.conf
TEXT
grep -v ' \./\(usr/\|etc/\)' "$work/contents" | grep -v ' \./$' && fail "that is elsewhere than under /usr and /etc"

# Its scripts and its configuration.
dpkg-deb -e "$deb" "$work/control"
dpkg-deb -x "$deb" "$work/root"
[ "$(cat "$work/control/conffiles")" = /etc/houtao/houtao.conf ] || fail "its configuration is no conffile"
for script in postinst prerm postrm; do
    [ -x "$work/control/$script" ] || fail "$script can't be run"
    sh -n "$work/control/$script" || fail "$script is not well formed"
done
"$work/root/usr/bin/houtao" --version | grep -q '^houtao ' || fail "its binary does not run"
file -b "$work/root/usr/bin/houtao" | grep -q 'not stripped' && fail "its binary is not stripped"
said=$(cd "$work" && sed "s#/var/lib/houtao#$work/none#" root/etc/houtao/houtao.conf >here.conf &&
    root/usr/bin/houtao serve --config here.conf 2>&1)
[ $? -eq 1 ] && [[ $said == *town.hnet* ]] || fail "its configuration is not read: $said"
gzip -dc "$work/root/usr/share/man/man1/houtao.1.gz" | head -n 5 | grep -q '^\.Dt HOUTAO 1' || fail "its manual is none"

# Its units, as systemd reads them: not a word.
if command -v systemd-analyze >/dev/null; then
    mkdir "$work/units"
    for unit in houtao.service houtao@.service houtao-backup.service houtao-backup.timer; do
        sed "s#=/usr/bin/houtao #=$work/root/usr/bin/houtao #" "$work/root/usr/lib/systemd/system/$unit" >"$work/units/$unit"
    done
    said=$(SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no "$work"/units/* 2>&1) || fail "its units: $said"
    said=$(grep -F "$work/units" <<<"$said") && fail "its units: $said"
else
    echo "its units are not verified: systemd-analyze is not installed"
fi
[ "$failed" -eq 0 ] && echo "$(basename "$deb") is whole"
exit "$failed"
