# shellcheck shell=bash
# shellcheck disable=SC2034 # the other parts read what is set here
# The options: read, checked, and kept in /etc/adloom/choices, so that a later run needs only what changes.

usage() {
    cat << 'TEXT'
usage: install.sh --domain NAME --owner EMAIL (--demo | the id of an app at an ad platform, or several) [options]

Whom it serves
  --domain NAME               the name people reach it by; Caddy gets its certificate (localhost: one of its own)
  --owner EMAIL               who logs in first; the password is made up and lies in /etc/adloom/secrets/owner-password
  --demo                      made-up numbers from the sandbox instead of the ad platforms
  --google-ads-client-id ID   the id of the OAuth client for Google Ads; its secret is asked for, unless a file has it
  --google-ads-client-secret-file FILE
  --meta-app-id ID            the id of the Meta app; its secret as above
  --meta-app-secret-file FILE
  --tiktok-app-id ID          the id of the TikTok app; its secret as above
  --tiktok-app-secret-file FILE

OpenFaaS, one of
  (nothing)                   use the faasd that is installed already, the edition you are licensed for
  --openfaas-bin FOLDER       install the programs of this folder: faasd, gateway, cron-connector, faas-cli
  --images FOLDER             the functions' images as archives NAME.tar of this release, where none can be built:
                              what `podman save` or `docker save` writes
  --accept-openfaas-licence   run faasd's official installer; with this you accept the licence of its edition

Storage
  --postgres-port PORT        5432 if not said
  --timescale-source LINE     the line `deb ...` of TimescaleDB's package source, for the Community edition
  --timescale-key FILE        the key that signs this source
  --minio-bin FILE            a MinIO that is built already; without it Go builds one, which takes minutes
  --s3-endpoint URL           use this S3 server instead of a MinIO of our own, with the three below
  --s3-bucket NAME            adloom if not said
  --s3-access-key-file FILE
  --s3-secret-key-file FILE

The rest
  --backup-recipient KEY      age1...: who can open the backups (`adloom backup keygen` makes a pair); without it a pair
                              is made here, and you are told where it lies
  --with-signal               signal-cli-rest-api in a container, for alerts by Signal
  --no-firewall               leave the firewall to you; these ports must then be closed to the outside by it:
                              5432, 8080-8082, 9000
  --no-start                  start nothing; what was installed starts with the machine
  --list-packages             print the packages of Debian that would be installed, and stop
  --stage                     only lay the release beside the others; `adloomctl upgrade` uses this
  --help
TEXT
}

# Our apps at the ad platforms, by the variables of their ids without `_id`, with the names that people know.
declare -A apps=([google_ads_client]="Google Ads client" [meta_app]="Meta app" [tiktok_app]="TikTok app")

# What is kept from run to run: the name of the choice and of its variable.
kept=(domain owner demo google_ads_client_id meta_app_id tiktok_app_id openfaas postgres_port timescale s3_endpoint s3_bucket signal firewall)

wrong() {
    printf 'install.sh: %s\nTry install.sh --help.\n' "$*" >&2
    exit 2
}

read_options() {
    domain='' owner='' demo=''
    google_ads_client_id='' google_ads_client_secret_file='' meta_app_id='' meta_app_secret_file=''
    tiktok_app_id='' tiktok_app_secret_file=''
    openfaas='' openfaas_bin='' images='' postgres_port='' timescale='' timescale_source='' timescale_key=''
    minio_bin='' s3_endpoint='' s3_bucket='' s3_access_key_file='' s3_secret_key_file=''
    backup_recipient='' signal='' firewall='' no_start='' just_list_packages='' just_stage=''
    read_choices
    while [ $# -gt 0 ]; do
        case $1 in
            --domain | --owner | --google-ads-client-id | --google-ads-client-secret-file | --meta-app-id | --meta-app-secret-file | \
                --tiktok-app-id | --tiktok-app-secret-file | --openfaas-bin | --postgres-port | --timescale-source | --timescale-key | --minio-bin | --s3-endpoint | --s3-bucket | --s3-access-key-file | --s3-secret-key-file | \
                --backup-recipient | --images)
                if [ $# -lt 2 ] || [ -z "$2" ]; then
                    wrong "$1 needs a value."
                fi
                local name=${1#--}
                printf -v "${name//-/_}" '%s' "$2"
                shift
                ;;
            --demo) demo=yes ;;
            --accept-openfaas-licence) openfaas=official ;;
            --with-signal) signal=yes ;;
            --no-firewall) firewall=off ;;
            --no-start) no_start=yes ;;
            --list-packages) just_list_packages=yes ;;
            --stage) just_stage=yes ;;
            --help)
                usage
                exit 0
                ;;
            *) wrong "there is no option $1." ;;
        esac
        shift
    done
    [ -z "$openfaas_bin" ] || openfaas=folder
    [ -z "$timescale_source" ] || timescale=community
    postgres_port=${postgres_port:-5432} s3_bucket=${s3_bucket:-adloom}
    timescale=${timescale:-apache} firewall=${firewall:-on}
}

read_choices() {
    [ -f "$choices" ] || return 0
    local name value
    while IFS='=' read -r name value; do
        case " ${kept[*]} " in
            *" $name "*) printf -v "$name" '%s' "$value" ;;
        esac
    done < "$choices"
}

keep_options() {
    local name file
    file=$(mktemp)
    for name in "${kept[@]}"; do
        printf '%s=%s\n' "$name" "${!name}"
    done > "$file"
    put "$file" "$choices" 644
    rm -f "$file"
}
