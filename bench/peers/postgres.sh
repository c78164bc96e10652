# A PostgreSQL of our own in a temporary folder, for the scripts beside; sourced by them.
# Needs $work, an empty folder; they call postgres_stop at their end.
postgres=""

# A PostgreSQL server does not run as root: there it runs as the user that its package made.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

postgres_start() {
    local found
    found=$(find /usr/lib/postgresql -name initdb 2>/dev/null | sort -V | tail -n 1)
    [ -n "$found" ] || return 1
    mkdir "$work/pg"
    if [ "$(id -u)" = 0 ]; then chown postgres "$work" "$work/pg"; fi
    as_postgres "$found" -D "$work/pg" -A trust >/dev/null
    postgres=$(dirname "$found")
    as_postgres "$postgres/pg_ctl" -D "$work/pg" -w -l "$work/pg/log" \
        -o "-c listen_addresses='' -c unix_socket_directories='$work' -c fsync=off -c shared_buffers=512MB" start >/dev/null
}

postgres_stop() {
    [ -z "$postgres" ] || as_postgres "$postgres/pg_ctl" -D "$work/pg" -m immediate stop >/dev/null || true
}

# Runs what it reads; `\timing` lines beside.
sql() {
    { printf '%s\n' '\timing on'; cat; } | as_postgres psql -q -At -X -v ON_ERROR_STOP=1 -h "$work" -d postgres
}

# What psql reports of each statement, in milliseconds.
sql_times() {
    awk '/^Time:/ { print $2 }'
}
