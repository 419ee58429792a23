# shellcheck shell=bash
# Programs that Debian does not have: OpenFaaS's and MinIO.

# The last state of MinIO's public repository; there are no builds of it.
minio_version=v0.0.0-20260212201848-7aac2a2c5b7c
minio=$home/programs/minio-$minio_version

minio_is_there() {
    [ -x "$minio" ]
}

install_minio() {
    [ -z "$s3_endpoint" ] || return 0
    if ! minio_is_there; then
        mkdir -p "$home/programs"
        if [ -n "$minio_bin" ]; then
            install -m 755 -o root -g root "$minio_bin" "$minio.partial"
        else
            build_minio
        fi
        "$minio.partial" --version > /dev/null || stop "$minio.partial does not run on this machine."
        mv "$minio.partial" "$minio"
        changed=yes
    fi
    link "$(basename "$minio")" "$home/programs/minio"
}

build_minio() {
    local work
    say "building MinIO with Go; this takes some minutes and 3 GB of disk for that time"
    work=$(mktemp -d /var/tmp/adloom-minio.XXXXXX)
    if ! GOTOOLCHAIN=local CGO_ENABLED=0 GOFLAGS=-modcacherw GOPATH=$work/path GOCACHE=$work/cache GOBIN=$work \
        go install -trimpath -ldflags='-s -w' "github.com/minio/minio@$minio_version"; then
        rm -rf "$work"
        stop "MinIO could not be built. Look at the network, or say --minio-bin FILE or --s3-endpoint URL."
    fi
    mv "$work/minio" "$minio.partial"
    rm -rf "$work"
}

install_openfaas() {
    case $openfaas in
        folder) copy_openfaas ;;
        official) run_official_installer ;;
    esac
}

copy_openfaas() {
    local program
    if [ -n "$openfaas_bin" ]; then
        for program in "${openfaas_programs[@]}"; do
            put "$openfaas_bin/$program" "/usr/local/bin/$program" 755
        done
    fi
    # Where faasd looks for the network plugins.
    [ -e /opt/cni/bin ] || link /usr/lib/cni /opt/cni/bin
}

run_official_installer() {
    openfaas_is_installed && return
    systemd_runs || stop "the official installer of faasd starts services, and systemd does not run here."
    local work
    work=$(mktemp -d /var/tmp/adloom-faasd.XXXXXX)
    say "running the official installer of faasd"
    if ! (git clone --quiet --depth 1 https://github.com/openfaas/faasd "$work/faasd" && cd "$work/faasd" && bash hack/install.sh); then
        rm -rf "$work"
        stop "the official installer of faasd failed; the lines above are its own."
    fi
    rm -rf "$work"
}
