# shellcheck shell=bash
# What has to be true before anything is changed. Each check that fails says what to do.

check_machine() {
    [ "$(id -u)" -eq 0 ] || stop "it needs root; run it with sudo."
    local ID='' VERSION_ID='' PRETTY_NAME=''
    # shellcheck source=/dev/null
    . /etc/os-release
    [ "$ID $VERSION_ID" = "debian 13" ] || stop "this is ${PRETTY_NAME:-an unknown system}, and it needs Debian 13 (trixie)."
    case $(uname -m) in
        x86_64 | aarch64) ;;
        *) stop "its programs exist for x86-64 and ARM64, and this is $(uname -m)." ;;
    esac
    [ -f "$project/stack.yml" ] || stop "$project is not the project's whole folder: stack.yml is missing."
}

check_options() {
    [ -z "$just_stage" ] || return 0
    check_domain
    check_platform
    check_storage
    check_backup
    check_openfaas
}

check_domain() {
    [ -n "$domain" ] || wrong "--domain NAME is missing: the name that people type to reach it, such as ads.example.com."
    [[ $domain =~ ^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$ ]] ||
        wrong "--domain is $domain; write a name in small letters, such as ads.example.com, without https:// and slashes."
    [[ $domain == localhost || ($domain == *.* && ! $domain =~ ^[0-9.]+$) ]] ||
        wrong "--domain is $domain; no certificate can be had for that. Point a name such as ads.example.com to this machine."
    [[ $owner =~ ^[^@[:space:]]+@[^@[:space:]]+$ ]] || wrong "--owner EMAIL is missing or wrong: the address of who logs in first."
}

check_platform() {
    local ids=$google_ads_client_id$meta_app_id$tiktok_app_id app
    check_digits --meta-app-id "$meta_app_id"
    check_digits --tiktok-app-id "$tiktok_app_id"
    [ -z "$google_ads_client_id" ] || [[ $google_ads_client_id =~ ^[0-9a-z-]+\.apps\.googleusercontent\.com$ ]] ||
        wrong "--google-ads-client-id is $google_ads_client_id; it ends with .apps.googleusercontent.com."
    if [ -n "$demo" ] && [ -n "$ids" ]; then
        wrong "made-up numbers and real ones do not go into one database: say --demo or the ids of your apps. A demo becomes a real installation by removing it first; see docs/deploy.md."
    fi
    if [ -z "$demo" ] && [ -z "$ids" ]; then
        wrong "say --google-ads-client-id ID, --meta-app-id ID or --tiktok-app-id ID for the ad accounts of your apps, or --demo to try it with made-up numbers."
    fi
    for app in "${!apps[@]}"; do
        check_app_secret "$app"
    done
}

check_digits() {
    [ -z "$2" ] || [[ $2 =~ ^[0-9]+$ ]] || wrong "$1 is $2; it has digits only."
}

# check_app_secret <app>: where it has an id there is a secret, or somebody who can be asked for it.
check_app_secret() {
    local id=$1_id file=$1_secret_file name=${1//_/-}
    needs_file "--$name-secret-file" "${!file}"
    [ -n "${!id}" ] || return 0
    if [ -z "${!file}" ] && ! known_secret "$1" && [ ! -t 0 ]; then
        wrong "the ${apps[$1]}'s secret is missing. Put it into a file and say --$name-secret-file FILE, or run this at a terminal, where it is asked for."
    fi
}

check_storage() {
    if [[ ! $postgres_port =~ ^[1-9][0-9]{3,4}$ ]] || ((postgres_port < 1024 || postgres_port > 65535)); then
        wrong "--postgres-port is $postgres_port; write a number from 1024 to 65535."
    fi
    if [ -n "$timescale_source$timescale_key" ]; then
        if [ -z "$timescale_source" ] || [ -z "$timescale_key" ]; then
            wrong "--timescale-source and --timescale-key go together."
        fi
        [[ $timescale_source == "deb "* ]] || wrong "--timescale-source is the whole line that begins with 'deb '."
    fi
    needs_file --timescale-key "$timescale_key"
    needs_file --minio-bin "$minio_bin"
    needs_file --s3-access-key-file "$s3_access_key_file"
    needs_file --s3-secret-key-file "$s3_secret_key_file"
    [[ $s3_bucket =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ ]] || wrong "--s3-bucket is $s3_bucket; write 3 to 63 small letters, digits and dashes."
    if [ -z "$s3_endpoint" ]; then
        [ -z "$s3_access_key_file$s3_secret_key_file" ] || wrong "--s3-access-key-file and --s3-secret-key-file need --s3-endpoint URL."
        return 0
    fi
    [[ $s3_endpoint =~ ^https?://[^/]+$ ]] || wrong "--s3-endpoint is $s3_endpoint; write http(s)://host[:port]."
    if [ -z "$s3_access_key_file" ] || [ -z "$s3_secret_key_file" ]; then
        # A later run has the keys already.
        grep --quiet --line-regexp --fixed-strings "s3_endpoint=$s3_endpoint" "$choices" 2> /dev/null ||
            wrong "--s3-endpoint needs --s3-access-key-file FILE and --s3-secret-key-file FILE."
    fi
}

check_backup() {
    [ -z "$backup_recipient" ] || [[ $backup_recipient =~ ^age1[a-z0-9]{58}(,age1[a-z0-9]{58})*$ ]] ||
        wrong "--backup-recipient is no public key of age; it begins with age1 and \`adloom backup keygen\` prints it."
}

needs_file() {
    [ -z "$2" ] || { [ -f "$2" ] && [ -s "$2" ]; } || wrong "$1 names $2, which is no file or an empty one."
}

openfaas_programs=(faasd gateway cron-connector faas-cli)

check_openfaas() {
    local program
    [ -z "$images" ] || [ -d "$images" ] || wrong "--images names $images, which is no folder."
    if [ -n "$openfaas_bin" ]; then
        for program in "${openfaas_programs[@]}"; do
            [ -x "$openfaas_bin/$program" ] || wrong "--openfaas-bin names $openfaas_bin, where $program is missing."
        done
    elif [ "$openfaas" = folder ]; then
        for program in "${openfaas_programs[@]}"; do
            [ -x "/usr/local/bin/$program" ] || wrong "/usr/local/bin/$program is gone; say --openfaas-bin FOLDER again."
        done
    elif [ -z "$openfaas" ]; then
        openfaas_is_installed || stop "$(openfaas_choice)"
        openfaas=installed
    fi
}

openfaas_is_installed() {
    [ -x /usr/local/bin/faasd ] || return 1
    [ -f /etc/systemd/system/faasd.service ] || [ -f /usr/lib/systemd/system/faasd.service ]
}

openfaas_choice() {
    cat << 'TEXT'
there is no faasd on this machine, and which one may be used is your decision.
  - Install the edition that you are licensed for as its vendor says, then run this again.
  - --accept-openfaas-licence runs the official installer of faasd's Community Edition. Since September 2024 that edition
    allows commercial use for 60 days only and checks this online.
  - --openfaas-bin FOLDER takes programs that you have, for example ones you built from the releases under the MIT licence.
Nothing in Adloom works around a licence.
TEXT
}
