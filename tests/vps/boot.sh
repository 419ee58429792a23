#!/bin/bash
# boot.sh <root> <host folder> <name>: start another Debian with its own systemd, in namespaces of its own: processes,
# mounts, network, cgroups. It sees nothing of this machine's network, and ends with this process.
set -euo pipefail
name=$3
# Whatever hierarchies of cgroups this machine has, the other one gets a part of each.
for procs in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do
    [ -f "$procs" ] || continue
    group=$(dirname "$procs")
    if [ -f /sys/fs/cgroup/cgroup.controllers ] && [ "$group" != /sys/fs/cgroup ]; then
        continue # where there is one hierarchy only, these are groups of others
    fi
    mkdir -p "$group/$name"
    for file in cpuset.cpus cpuset.mems; do
        if [ "$(basename "$group")" = cpuset ]; then cat "$group/$file" > "$group/$name/$file"; fi
    done
    echo $$ > "$group/$name/cgroup.procs"
done
# shellcheck disable=SC2016 # the inner shell expands them
exec setpriv --pdeathsig KILL unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child --propagation private bash -c '
    set -euo pipefail
    root=$1 host=$2
    legacy=()
    hostname vps
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    # The kernel is shared: only what belongs to this network may be set.
    mount --bind "$root/proc/sys" "$root/proc/sys"
    mount -o remount,bind,ro "$root/proc/sys"
    mount --bind "$root/proc/sys/net" "$root/proc/sys/net" 2> /dev/null
    mount -o remount,bind,rw "$root/proc/sys/net"
    mount -t sysfs -o ro sysfs "$root/sys"
    if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
        mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    else
        groups=$root/sys/fs/cgroup
        mount -t tmpfs -o mode=755 tmpfs "$groups"
        for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
            [ ! -d "/sys/fs/cgroup/$controller" ] || { mkdir "$groups/$controller"; mount -t cgroup -o "$controller" cgroup "$groups/$controller"; }
        done
        mkdir "$groups/systemd" "$groups/unified"
        mount -t cgroup -o none,name=systemd cgroup "$groups/systemd"
        mount -t cgroup2 cgroup2 "$groups/unified"
        legacy=(SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 systemd.unified_cgroup_hierarchy=0)
    fi
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    for node in null zero full random urandom tty; do touch "$root/dev/$node" && mount --bind "/dev/$node" "$root/dev/$node"; done
    mkdir "$root/dev/pts" "$root/dev/shm" && ln -s /proc/self/fd "$root/dev/fd" && ln -s pts/ptmx "$root/dev/ptmx"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mkdir -p "$root/host"
    mount --rbind -o ro "$host" "$root/host"
    cd "$root"
    mkdir -p before
    pivot_root . before
    umount -l before
    rmdir before
    mount --make-rshared /
    ip link set lo up
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=vps "${legacy[@]:0:1}" \
        /sbin/init --log-target=console --log-level=notice --unit=multi-user.target "${legacy[@]}"
' boot "$@"
