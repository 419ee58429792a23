"""The sandbox's own authority and its certificate: Google's SDK speaks TLS and nothing else.

A client trusts the sandbox with `GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=<folder>/google-ca.pem`, set before its first call;
the sandbox shows the same file at `/google-ca.pem`.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from adloom import clock

# `sandbox` is what it is called among containers.
NAMES = ("localhost", "sandbox")
CA_FILE, CA_KEY_FILE = "google-ca.pem", "google-ca.key"
_LIFETIME = timedelta(days=3650)


@dataclass(frozen=True)
class Identity:
    """What the server shows: its key and its certificate, as PEM."""

    key: bytes
    certificate: bytes


def authority(folder: Path) -> Path:
    """The authority's certificate in a folder; made once, so that clients go on trusting it after a restart."""
    path = folder / CA_FILE
    if path.exists() and (folder / CA_KEY_FILE).exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Adloom sandbox")])
    made = (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    key_file = folder / CA_KEY_FILE
    key_file.touch(mode=0o600)
    key_file.write_bytes(_pem(key))
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


def identity(folder: Path, url: str) -> Identity:
    """A fresh certificate for this machine, signed by the folder's authority; `url` is where the product reaches it."""
    issuer = x509.load_pem_x509_certificate(authority(folder).read_bytes())
    signer = serialization.load_pem_private_key((folder / CA_KEY_FILE).read_bytes(), password=None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{folder / CA_KEY_FILE} is no key of this sandbox; delete it and {CA_FILE}")
    key = ec.generate_private_key(ec.SECP256R1())
    told = urlsplit(url).hostname or NAMES[0]
    names = [_name(one) for one in dict.fromkeys((*NAMES, "127.0.0.1", told))]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAMES[0])])
    made = (
        _builder(subject, issuer.subject, key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return Identity(_pem(key), made.public_bytes(serialization.Encoding.PEM))


def _name(host: str) -> x509.GeneralName:
    """A host as a certificate names it."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    # Certificates live by the real clock, whatever the business clock says.
    now = clock.real_now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
