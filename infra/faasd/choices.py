"""What was chosen when Adloom was installed: lines `name=value` that install.sh keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.faasd.errors import MachineFault
from infra.faasd.layout import BRIDGE, CHOICES, S3_PORT

# Our apps at the ad platforms: what they are called in choices and settings.
APPS = ("google_ads_client", "meta_app", "tiktok_app")


@dataclass(frozen=True)
class Choices:
    """`apps` are the ids of our apps at the ad platforms, by the names of APPS.

    `openfaas` is folder, official or installed; `timescale` is apache or community.
    """

    domain: str
    owner: str
    demo: bool
    apps: Mapping[str, str]
    openfaas: str
    postgres_port: int
    timescale: str
    s3_url: str
    s3_bucket: str
    own_s3: bool
    signal: bool

    @property
    def own_openfaas(self) -> bool:
        """Whether OpenFaaS runs by units of ours, with a cron-connector."""
        return self.openfaas == "folder"


def read(path: Path = CHOICES) -> Choices:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise MachineFault(f"{path} is missing: Adloom is not installed here. Run infra/faasd/install.sh.") from None
    told = dict(line.split("=", 1) for line in lines if "=" in line)
    try:
        return Choices(
            domain=told["domain"],
            owner=told["owner"],
            demo=told["demo"] == "yes",
            apps={name: app for name in APPS if (app := told.get(f"{name}_id") or _made_up_id(told))},
            openfaas=told["openfaas"],
            postgres_port=int(told["postgres_port"]),
            timescale=told["timescale"],
            s3_url=told["s3_endpoint"] or f"http://{BRIDGE}:{S3_PORT}",
            s3_bucket=told["s3_bucket"],
            own_s3=not told["s3_endpoint"],
            signal=told["signal"] == "yes",
        )
    except (KeyError, ValueError) as error:
        raise MachineFault(f"{path} is damaged ({error}). Run install.sh with all its options again.") from None


def _made_up_id(told: Mapping[str, str]) -> str:
    """The sandbox takes any number for an app's."""
    return "100000000000001" if told["demo"] == "yes" else ""
