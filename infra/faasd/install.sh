#!/usr/bin/env bash
# Installs Adloom on a VPS with Debian 13. Run it as root from the project's folder; run it again to change or to mend
# something: what is as it should be is left alone.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
umask 022
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
. "$here/lib/common.sh"
. "$here/lib/options.sh"
. "$here/lib/checks.sh"
. "$here/lib/packages.sh"
. "$here/lib/release.sh"
. "$here/lib/programs.sh"
. "$here/lib/machine.sh"

main() {
    read_options "$@"
    if [ -n "$just_list_packages" ]; then
        wanted_packages
        return
    fi
    # Nothing is changed before everything that was asked for is known to be possible.
    check_machine
    check_options
    check_release
    one_at_a_time
    install_packages
    make_users
    stage_release
    take_images
    if [ -n "$just_stage" ]; then
        say "the release $version lies in $releases/$version"
        return
    fi
    keep_options
    install_openfaas
    install_minio
    write_secrets
    link "releases/$version" "$home/current"
    make_cluster
    write_files
    enable_units
    start_units
}

main "$@"
