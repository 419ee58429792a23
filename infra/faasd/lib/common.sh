# shellcheck shell=bash
# Words and paths that every part of the installation uses.

home=/opt/adloom
releases=$home/releases
etc=/etc/adloom
state=/var/lib/adloom
secrets=$etc/secrets
# shellcheck disable=SC2034 # read by the other parts
choices=$etc/choices

# Whether anything was changed that the services have to hear of.
changed=

say() {
    printf '%s\n' "$*"
}

# The sentence says what is wrong and what to do.
stop() {
    printf 'Adloom was not installed: %s\n' "$*" >&2
    exit 1
}

# Whether systemd runs this system; it does not in a chroot or while an image is being built.
systemd_runs() {
    [ -d /run/systemd/system ]
}

one_at_a_time() {
    mkdir -p "$state"
    exec 9< "$state"
    flock --nonblock 9 || stop "another installation is running; wait until it is done."
}

# put <source> <destination> <mode>: a file of root's, written in one step and only where it differs.
put() {
    if [ -f "$2" ] && cmp --silent "$1" "$2" && [ "$(stat --format %a "$2")" = "$3" ]; then
        return
    fi
    mkdir -p "$(dirname "$2")"
    install -m "$3" -o root -g root "$1" "$2.partial"
    mv -f "$2.partial" "$2"
    say "wrote $2"
    changed=yes
}

# link <destination> <name>
link() {
    if [ "$(readlink "$2" 2> /dev/null)" = "$1" ]; then
        return
    fi
    mkdir -p "$(dirname "$2")"
    ln -sfn "$1" "$2.partial"
    mv -fT "$2.partial" "$2"
    say "linked $2 to $1"
    changed=yes
}
