# shellcheck shell=bash
# The code: each release in a folder of its own, and a venv for each list of locked packages.

release_parts=(LICENSE functions infra migrations pyproject.toml shared stack.yml template ui)
requirements=shared/requirements/vps.txt

version=

release_files() {
    (cd "$project" && find "${release_parts[@]}" -type f ! -path '*/__pycache__/*' ! -path '*.egg-info/*' -print0 | sort -z)
}

# 0.1.0-3f2c9a81d0b4: what the project calls itself, and what this tree really holds.
release_version() {
    local named content
    named=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$project/shared/pyproject.toml" | head -n 1)
    content=$(cd "$project" && release_files | xargs -0 sha256sum | sha256sum)
    printf '%s-%s' "$named" "${content:0:12}"
}

stage_release() {
    make_venv
    local target=$releases/$version
    [ ! -d "$target" ] || return 0
    say "laying the release $version into $target"
    mkdir -p "$releases"
    rm -rf "$releases/.partial"
    mkdir "$releases/.partial"
    release_files | tar -C "$project" --create --null --files-from=- --owner=0 --group=0 --mode=u=rwX,go=rX |
        tar -C "$releases/.partial" --extract --preserve-permissions
    ln -s "$venv" "$releases/.partial/venv"
    # Services cannot write beside the code, so that its bytecode is made here.
    (cd "$releases/.partial" && venv/bin/python -m compileall -q --invalidation-mode unchecked-hash \
        -s "$releases/.partial" -p "$target" functions infra migrations shared ui > /dev/null)
    mv "$releases/.partial" "$target"
    changed=yes
}

no_packages="the Python packages could not be fetched. Look at the network, then run this again."

# What pip is told on this machine, as uv wants to hear it: NAME=value.
pips_settings() {
    "$venv/bin/python" - "$project/infra/local" << 'PYTHON'
import sys
from pathlib import Path
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import bootstrap
bootstrap.PYTHON = Path(sys.executable)
for name, value in bootstrap.uv_settings().items():
    print(f"{name}={value}")
PYTHON
}

make_venv() {
    local list fingerprint
    list=$(sha256sum < "$project/$requirements")
    fingerprint=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')-${list:0:12}
    venv=$home/venvs/$fingerprint
    [ ! -f "$venv/finished" ] || return 0
    say "installing the locked Python packages into $venv"
    rm -rf "$venv"
    mkdir -p "$home/venvs"
    python3 -m venv "$venv"
    local settings
    "$venv/bin/pip" --quiet --disable-pip-version-check --no-input --no-cache-dir install --require-hashes \
        -r "$project/shared/requirements/uv.txt" || stop "$no_packages"
    mapfile -t settings < <(pips_settings)
    env "${settings[@]}" "$venv/bin/uv" pip install --quiet --no-cache --compile-bytecode --python "$venv/bin/python" \
        --require-hashes -r "$project/$requirements" || stop "$no_packages"
    touch "$venv/finished"
    changed=yes
}

# Archives of images wait beside the releases until the registry runs.
take_images() {
    [ -n "$images" ] || return 0
    local archive target=$home/images/$version
    for archive in "$images"/*.tar; do
        [ -f "$archive" ] || stop "$images holds no archives NAME.tar."
        put "$archive" "$target/$(basename "$archive")" 644
    done
}

# A release other than the one that runs needs a backup and a migration first.
check_release() {
    local running
    version=$(release_version)
    running=$(readlink "$home/current" || true)
    if [ -z "$just_stage" ] && [ -n "$running" ] && [ "$running" != "releases/$version" ]; then
        stop "the release ${running#releases/} is installed, and this is $version. Change to it with: adloomctl upgrade $project"
    fi
}

# ours <module> [argument...]: a module of this release.
ours() {
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$releases/$version:$releases/$version/shared \
        "$releases/$version/venv/bin/python" -m "$@"
}
