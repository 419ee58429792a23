# shellcheck shell=bash
# Users, secrets, settings, the database's cluster and the units of this machine.

make_users() {
    put "$here/sysusers.conf" /etc/sysusers.d/adloom.conf 644
    local said
    said=$(systemd-sysusers /etc/sysusers.d/adloom.conf 2>&1) || stop "the services' users could not be made: $said"
}

write_secrets() {
    install -d -m 700 -o root -g root "$secrets"
    local app
    for app in "${!apps[@]}"; do
        take_app_secret "$app"
    done
    take_secret s3-access-key "$s3_access_key_file"
    take_secret s3-secret-key "$s3_secret_key_file"
    if [ "$openfaas" = folder ] && [ ! -s "$secrets/basic-auth-password" ]; then
        printf 'admin' | secret_file basic-auth-user
        head -c 32 /dev/urandom | base64 | tr -d '=+/\n' | secret_file basic-auth-password
    fi
    ours infra.deployment.secrets "$secrets" --functions-reach 10.62.0.1 --services-reach 127.0.0.1 \
        --postgres-port "$postgres_port" --nats-store "$state/nats" || stop "the secrets could not be written."
    local written
    written=$(ours infra.faasd backup-key ${backup_recipient:+"$backup_recipient"}) || stop "the backups' key could not be made."
    report "$written"
}

# known_secret <app>: whether its secret was given before. One that was made up says so, and is of no use.
known_secret() {
    [ -s "$secrets/${1//_/-}-secret" ] && ! grep --quiet '^made-up-' "$secrets/${1//_/-}-secret"
}

take_app_secret() {
    local id=$1_id file=$1_secret_file secret=${1//_/-}-secret
    take_secret "$secret" "${!file}"
    if [ -n "${!id}" ] && [ -z "${!file}" ] && ! known_secret "$1"; then
        ask_secret "$secret" "The secret of the ${apps[$1]} ${!id}"
    fi
}

# secret_file <name>: from standard input, in one step.
secret_file() {
    (umask 077 && cat > "$secrets/.$1.partial" && mv "$secrets/.$1.partial" "$secrets/$1")
}

take_secret() {
    [ -n "$2" ] || return 0
    local value
    value=$(tr -d '\r\n' < "$2")
    [ "$value" = "$(cat "$secrets/$1" 2> /dev/null)" ] || { printf '%s\n' "$value" | secret_file "$1" && changed=yes; }
}

ask_secret() {
    local value=
    while [ -z "$value" ]; do
        read -r -s -p "$2: " value
        echo
    done
    printf '%s\n' "$value" | secret_file "$1"
}

# Ours beside whatever else there is. Text sorts by code point, so that no update of a system library breaks an index.
make_cluster() {
    local data=/var/lib/postgresql/17/adloom taken
    if [ -f "$data/finished" ]; then
        return
    fi
    if [ -d "$data" ] || [ -d /etc/postgresql/17/adloom ]; then
        [ ! -f "$data/PG_VERSION" ] || [ ! -f "$data/postmaster.pid" ] || stop "there is a Postgres cluster 17/adloom already."
        rm -rf "$data" /etc/postgresql/17/adloom
    fi
    taken=$(pg_lsclusters --no-header | awk -v port="$postgres_port" '$3 == port { print $1 "/" $2 }')
    [ -z "$taken" ] || stop "the Postgres cluster $taken has port $postgres_port; say --postgres-port PORT."
    say "making the Postgres cluster 17/adloom"
    pg_createcluster --port "$postgres_port" --start-conf auto 17 adloom -- --encoding=UTF8 --locale-provider=builtin \
        --locale=C.UTF-8 --data-checksums > /dev/null || stop "the Postgres cluster could not be made."
    touch "$data/finished"
    changed=yes
}

write_files() {
    local written
    written=$(ours infra.faasd files) || stop "the settings could not be written."
    report "$written"
}

# What a step of Python changed, a line each.
report() {
    [ -n "$1" ] || return 0
    say "$1"
    changed=yes
}

enable_units() {
    systemctl --quiet enable adloom.target adloom-firewall.service adloom-backup.timer
    if [ "$firewall" = off ]; then
        systemctl --quiet disable adloom-firewall.service
    fi
}

start_units() {
    if ! systemd_runs; then
        say "systemd does not run here: the units are enabled, and nothing was started. They start with the machine."
        return
    fi
    [ -z "$changed" ] || systemctl daemon-reload
    if [ -n "$no_start" ]; then
        say "the units are enabled, and nothing was started. Start them with: systemctl start adloom.target"
        return
    fi
    if [ -n "$changed" ]; then
        say "starting; the first time the functions' images are built, which takes minutes: journalctl -fu adloom-functions"
        [ "$firewall" = off ] || systemctl restart adloom-firewall.service
        systemctl restart systemd-journald.service
        systemctl try-restart postgresql@17-adloom.service
        systemctl restart adloom.target
    else
        systemctl start adloom.target
    fi
    exec /usr/local/bin/adloomctl status
}
