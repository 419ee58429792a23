#!/bin/sh
# As much of the official image's entry point as this project uses: POSTGRES_USER, POSTGRES_PASSWORD or
# POSTGRES_PASSWORD_FILE, POSTGRES_DB, PGDATA, and a first start that makes the cluster.
set -eu

if [ "$1" != postgres ]; then
    exec "$@"
fi

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chown -R postgres:postgres "$PGDATA" /var/run/postgresql
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
        POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
    fi
    if [ -z "${POSTGRES_PASSWORD:-}" ]; then
        echo "The cluster is new: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE." >&2
        exit 1
    fi
    word=/tmp/new-password
    (umask 077 && printf '%s\n' "$POSTGRES_PASSWORD" > "$word")
    initdb --username="$user" --pwfile="$word" --encoding=UTF8 --auth-local=trust --auth-host=scram-sha-256 > /dev/null
    rm "$word"
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
    {
        echo "listen_addresses = '*'"
        echo "shared_preload_libraries = 'timescaledb'"
        echo "timescaledb.telemetry_level = off"
    } >> "$PGDATA/postgresql.conf"
    pg_ctl --options="-c listen_addresses='' -c unix_socket_directories=/tmp" --wait start > /dev/null
    [ "$database" = postgres ] || createdb --host=/tmp --username="$user" "$database"
    # A database that is made later has the extension from its template.
    for one in postgres template1 "$database"; do
        psql --host=/tmp --username="$user" --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --dbname="$one" \
            --command="set client_min_messages = error; create extension if not exists timescaledb"
    done
    pg_ctl --mode=fast --wait stop > /dev/null
fi
unset POSTGRES_PASSWORD
exec "$@"
