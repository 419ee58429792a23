"""The installed machine, booted by its own systemd: each service runs as its own user and answers."""

from __future__ import annotations

import json

import pytest

from tests.vps.box import Machine
from tests.vps.installation import OWNER, SCRIPT, Installation

_USERS = {
    "adloom-nats": "adloom-nats",
    "adloom-minio": "adloom-minio",
    "adloom-registry": "adloom-registry",
    "adloom-connector": "adloom-connector",
    "adloom-dashboard": "adloom-dashboard",
    "adloom-sandbox": "adloom-sandbox",
    "adloom-caddy": "adloom-caddy",
    "postgresql@17-adloom": "postgres",
}
_OPENFAAS_USERS = {
    "adloom-gateway": "adloom-openfaas",
    "adloom-cron": "adloom-openfaas",
    "adloom-prometheus": "adloom-metrics",
    "adloom-provider": "root",
}
# Answers of addresses on the machine: no redirect is followed, no certificate is believed or not.
_FETCH = """
import json, ssl, sys, urllib.error, urllib.request

class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None

opener = urllib.request.build_opener(Stay, urllib.request.HTTPSHandler(context=ssl._create_unverified_context()))
try:
    answer = opener.open(urllib.request.Request(URL, data=DATA, headers=HEADERS), timeout=30)
except urllib.error.HTTPError as error:
    answer = error
print(json.dumps([answer.status, dict(answer.headers), answer.read().decode(errors="replace")]))
"""


def fetch(
    vps: Machine, url: str, *, data: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], str]:
    script = f"URL, DATA, HEADERS = {url!r}, {data!r}, {headers or {}!r}\n{_FETCH}"
    status, found, body = json.loads(vps.python(script))
    return status, found, body


def needs_openfaas(installation: Installation) -> None:
    if not installation.with_openfaas:
        pytest.skip("no OpenFaaS binaries")


def test_every_service_runs_as_a_user_of_its_own(vps: Machine, installation: Installation) -> None:
    expected = _USERS | (_OPENFAAS_USERS if installation.with_openfaas else {})
    found = {}
    for unit in expected:
        pid = vps.output("systemctl", "show", "--property=MainPID", "--value", unit)
        found[unit] = vps.run("ps", "-o", "user:32=", "-p", pid).stdout.strip()
    assert found == expected, vps.console()


def test_nothing_failed(vps: Machine) -> None:
    failed = vps.output("systemctl", "list-units", "--failed", "--no-legend", "--plain")
    assert "adloom" not in failed
    assert "postgres" not in failed
    assert vps.output("systemctl", "is-enabled", "adloom.target", "adloom-backup.timer").split() == ["enabled"] * 2


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8095/_/health",
        "http://127.0.0.1:8091/_/health",
        "http://127.0.0.1:5000/v2/",
        "http://10.62.0.1:9000/minio/health/live",
        "http://10.62.0.1:8090/_/health",
    ],
)
def test_it_answers(vps: Machine, url: str) -> None:
    assert fetch(vps, url)[0] == 200


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/healthz", "http://127.0.0.1:9090/-/ready"])
def test_openfaas_answers(vps: Machine, installation: Installation, url: str) -> None:
    needs_openfaas(installation)
    assert fetch(vps, url)[0] == 200


def test_functions_reach_postgres_by_the_bridge_and_only_with_roles_of_their_own(vps: Machine) -> None:
    script = """
import pathlib, psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
folder = pathlib.Path("/etc/adloom/secrets")
url = (folder / "auth-database-url").read_text().strip()
assert conninfo_to_dict(url)["host"] == "10.62.0.1"
with psycopg.connect(url) as connection:
    print(connection.execute("select current_user").fetchone()[0])
    print(connection.execute("select count(*) from pg_extension where extname = 'timescaledb'").fetchone()[0])
admin = (folder / "admin-database-url").read_text().strip()
try:
    psycopg.connect(make_conninfo(admin, host="10.62.0.1"), options="-c application_name=x")
except psycopg.OperationalError as error:
    print("refused" if "pg_hba.conf" in str(error) else error)
"""
    # From the machine itself the source is the bridge's own address, which lies in the functions' network.
    assert vps.python(script).split() == ["adloom_auth", "1", "refused"]


def test_nats_keeps_the_stream_and_knows_its_users(vps: Machine) -> None:
    script = """
import asyncio, nats, pathlib
url = pathlib.Path("/etc/adloom/secrets/connector-nats-url").read_text().strip()
async def quiet(error):
    pass
async def main():
    connection = await nats.connect(url)
    print((await connection.jetstream().stream_info("ADLOOM")).config.name)
    await connection.close()
    try:
        await nats.connect(url.replace("connector:", "connector:x"), allow_reconnect=False, error_cb=quiet)
    except nats.errors.Error as error:
        print("refused")
asyncio.run(main())
"""
    assert vps.python(script).split() == ["ADLOOM", "refused"]


def test_the_bucket_is_there_and_takes_objects(vps: Machine) -> None:
    script = """
import boto3, pathlib
folder = pathlib.Path("/etc/adloom/secrets")
client = boto3.client("s3", endpoint_url="http://10.62.0.1:9000", region_name="us-east-1",
    aws_access_key_id=(folder / "s3-access-key").read_text().strip(),
    aws_secret_access_key=(folder / "s3-secret-key").read_text().strip())
client.put_object(Bucket="adloom", Key="probe/one", Body=b"kept")
print(client.get_object(Bucket="adloom", Key="probe/one")["Body"].read().decode())
"""
    assert vps.python(script) == "kept"


def test_the_login_page_comes_by_https(vps: Machine) -> None:
    status, headers, body = fetch(vps, "https://localhost/login")
    assert status == 200
    assert 'type="password"' in body
    assert "Strict-Transport-Security" in headers


def test_http_leads_to_https_and_another_name_is_not_served(vps: Machine) -> None:
    status, headers, _body = fetch(vps, "http://localhost/login")
    assert (status, headers["Location"]) == (308, "https://localhost/login")
    assert fetch(vps, "http://127.0.0.1/login")[0] == 421


@pytest.mark.parametrize("path", ["/system/functions", "/system/secrets", "/metrics", "/async-function/auth"])
def test_the_gateways_own_paths_are_not_there(vps: Machine, path: str) -> None:
    status, headers, body = fetch(vps, f"https://localhost{path}", headers={"Authorization": "Basic YWRtaW46YWRtaW4="})
    assert status in {303, 404}
    assert headers.get("Location", "/login").startswith("/login")
    assert "openfaas" not in body.lower()


def test_functions_answer_by_the_front_door_and_nothing_but_them(vps: Machine, installation: Installation) -> None:
    needs_openfaas(installation)
    assert fetch(vps, "https://localhost/function/auth/_/health")[0] == 200
    assert fetch(vps, "https://localhost/function/unknown/_/health")[0] == 404
    assert fetch(vps, "https://localhost/function/../system/functions")[0] in {303, 404}


def test_the_owner_logs_in(vps: Machine, installation: Installation) -> None:
    needs_openfaas(installation)
    password = vps.output("cat", "/etc/adloom/secrets/owner-password")
    body = json.dumps({"email": OWNER, "password": password}).encode()
    headers = {"Content-Type": "application/json"}
    status, _headers, answer = fetch(vps, "https://localhost/function/auth/login", data=body, headers=headers)
    assert status == 200, answer
    assert json.loads(answer)["token"]


def test_everything_is_well_says_adloomctl(vps: Machine, installation: Installation) -> None:
    needs_openfaas(installation)
    parts = json.loads(vps.output("adloomctl", "status", "--json"))
    assert [part for part in parts if not part["well"]] == []
    assert len(parts) > 20


def test_a_backup_is_made_by_its_unit_and_opens_with_the_key(vps: Machine) -> None:
    vps.output("systemctl", "start", "adloom-backup.service")
    made = vps.output("bash", "-c", "ls /var/lib/adloom/backups/*.age").split()
    assert vps.output("stat", "-c", "%U %a", made[-1]) == "adloom-backup 600"
    said = vps.output("adloom", "backup", "verify", made[-1], "--identity", "/etc/adloom/backup-identity")
    assert "is whole" in said


def test_from_outside_only_ssh_and_the_front_door_are_open(vps: Machine) -> None:
    """A neighbour by a cable of its own; what the firewall drops does not answer at all."""
    script = """
set -e
ip netns add outside
ip link add cable type veth peer name far netns outside
ip address add 192.0.2.1/24 dev cable && ip link set cable up
ip -n outside address add 192.0.2.2/24 dev far && ip -n outside link set far up
"""
    vps.output("bash", "-c", script)
    probe = """
import socket
for port in PORTS:
    try:
        socket.create_connection(("192.0.2.1", port), timeout=1).close()
        print(port, "open")
    except ConnectionRefusedError:
        print(port, "refused")
    except TimeoutError:
        print(port, "dropped")
"""
    inner = "[5000, 5432, 8080, 8081, 8082, 8090, 8091, 8095, 9000, 9090]"
    call = ["ip", "netns", "exec", "outside", "/opt/adloom/current/venv/bin/python", "-"]
    try:
        said = vps.output(*call, text=probe.replace("PORTS", "[80, 443, 2222]")).splitlines()
        assert said == ["80 open", "443 open", "2222 open"]
        said = vps.output(*call, text=probe.replace("PORTS", inner)).splitlines()
        assert {line.split()[1] for line in said} == {"dropped"}
    finally:
        vps.run("ip", "netns", "delete", "outside")


def test_services_are_confined(vps: Machine, installation: Installation) -> None:
    """systemd's own measure: 0 is none of its confinements missing, 10 all of them."""
    units = [unit for unit, user in (_USERS | _OPENFAAS_USERS).items() if unit.startswith("adloom") and user != "root"]
    for unit in units if installation.with_openfaas else set(units) & set(_USERS):
        done = vps.run("systemd-analyze", "security", "--no-pager", "--threshold=30", f"{unit}.service")
        assert done.returncode == 0, done.stdout


def test_running_it_again_changes_nothing_and_restarts_nothing(vps: Machine) -> None:
    ids = ["systemctl", "show", "--property=InvocationID", "--value", "adloom-nats", "adloom-dashboard", "adloom-caddy"]
    before = vps.output(*ids)
    done = vps.run(SCRIPT)
    assert "wrote" not in done.stdout
    assert "linked" not in done.stdout
    assert "Adloom 0." in done.stdout
    assert vps.output(*ids) == before


def test_what_dies_comes_back(vps: Machine) -> None:
    pid = vps.output("systemctl", "show", "--property=MainPID", "--value", "adloom-dashboard")
    vps.output("kill", "-KILL", pid)
    shown = "systemctl show --property=MainPID --value adloom-dashboard"
    again = f'until systemctl is-active --quiet adloom-dashboard && [ "$({shown})" != {pid} ]; do sleep 0.1; done'
    vps.output("timeout", "30", "bash", "-c", again)
