"""What was chosen when Adloom was installed: lines `name=value` that install.sh keeps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from infra.faasd.errors import MachineFault
from infra.faasd.layout import BRIDGE, CHOICES, S3_PORT


@dataclass(frozen=True)
class Choices:
    """`openfaas` is folder, official or installed; `timescale` is apache or community."""

    domain: str
    owner: str
    demo: bool
    meta_app_id: str
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
            # The sandbox takes any number for the app's.
            meta_app_id=told["meta_app_id"] or "100000000000001",
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
