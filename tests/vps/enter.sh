#!/bin/bash
# enter.sh <root> <secrets> <host folder> <command...>: run a command in another Debian, as in a chroot while an image
# is built. What is mounted is gone with the process. <secrets> holds how this machine reaches packages; <host folder>
# appears as /host.
set -euo pipefail
# shellcheck disable=SC2016 # the inner shell expands them
exec setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --propagation private bash -c '
    set -euo pipefail
    root=$1 secrets=$2 host=$3
    shift 3
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sysfs "$root/sys" 2> /dev/null || mount --bind /sys "$root/sys"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    for node in null zero full random urandom tty; do touch "$root/dev/$node" && mount --bind "/dev/$node" "$root/dev/$node"; done
    mkdir "$root/dev/pts" "$root/dev/shm" && ln -s /proc/self/fd "$root/dev/fd"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mkdir -p "$root/run/secrets" "$root/run/lock"
    mkdir -p "$root/host" "$root/var/cache/apt/archives"
    mount --bind "$secrets" "$root/run/secrets"
    mount --rbind "$host" "$root/host"
    mkdir -p "$host/archives/partial" && mount --bind "$host/archives" "$root/var/cache/apt/archives"
    mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
    cd /
    exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        chroot "$root" bash -c "if [ -f /run/secrets/build-settings ]; then . /run/secrets/build-settings; fi; exec \"\$@\"" in "$@"
' enter "$@"
