# shellcheck shell=bash
# Debian's packages. What is installed already is not asked for, so that a later run needs no network.

wanted_packages() {
    local wanted=(ca-certificates python3 python3-venv nftables iproute2 logrotate postgresql-17)
    case $timescale in
        community) wanted+=(timescaledb-2-postgresql-17) ;;
        *) wanted+=(postgresql-17-timescaledb) ;;
    esac
    wanted+=(containerd runc containernetworking-plugins docker-registry buildah netavark)
    [ "$openfaas" != folder ] || wanted+=(prometheus)
    [ "$openfaas" != official ] || wanted+=(git curl)
    [ -z "$signal" ] || wanted+=(podman)
    [ -n "$s3_endpoint$minio_bin" ] || minio_is_there || wanted+=(golang-go)
    printf '%s\n' "${wanted[@]}"
}

install_packages() {
    local wanted=() missing=() package
    mapfile -t wanted < <(wanted_packages)
    if [ -n "$timescale_source" ]; then
        add_timescale_source
    fi
    for package in "${wanted[@]}"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    keep_quiet "${missing[@]}"
    # A run that was cut off in the middle of a package leaves it half configured.
    dpkg --configure --pending > /dev/null || stop "Debian's packages are half installed; see \`dpkg --audit\`."
    apt-get update --quiet --quiet -o APT::Update::Error-Mode=any ||
        stop "Debian's package lists could not be fetched. Look at the network and at /etc/apt, then run this again."
    apt-get install --quiet --quiet --yes --no-install-recommends -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold \
        "${missing[@]}" > /dev/null ||
        stop "a package could not be installed; the lines above say which. Run this again when it is mended."
}

is_installed() {
    [ "$(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]
}

# Debian starts a server when its package comes. Ours run with settings of their own, so Debian's are kept from it.
keep_quiet() {
    local package file
    for package in "$@"; do
        case $package in
            prometheus | docker-registry) link /dev/null "/etc/systemd/system/$package.service" ;;
            postgresql-17)
                file=$(mktemp)
                printf '# Adloom makes a cluster of its own.\ncreate_main_cluster = false\n' > "$file"
                put "$file" /etc/postgresql-common/createcluster.d/adloom.conf 644
                rm -f "$file"
                ;;
        esac
    done
}

add_timescale_source() {
    local file key=/etc/apt/keyrings/adloom-timescale
    # apt tells an armoured key from a binary one by the name of its file.
    if grep --quiet --text 'BEGIN PGP' "$timescale_key"; then key+=.asc; else key+=.gpg; fi
    put "$timescale_key" "$key" 644
    file=$(mktemp)
    printf 'deb [signed-by=%s] %s\n' "$key" "$(sed -E 's/^deb +(\[[^]]*\] +)?//' <<< "$timescale_source")" > "$file"
    put "$file" /etc/apt/sources.list.d/adloom-timescale.list 644
    rm -f "$file"
}
