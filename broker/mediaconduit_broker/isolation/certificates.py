"""Certificates made at start, for connections over TCP. Each end accepts the other's very certificate and no other."""

from __future__ import annotations

import datetime
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from mediaconduit.channels import TLS_NAME, MutualTls

_LIFE: Final = datetime.timedelta(days=3650)
"""Longer than any process lives: what ends a certificate is the end of its process."""
_CLOCK: Final = datetime.timedelta(days=1)
"""How far a clock may be set back."""
_FILES: Final = {
    "MEDIACONDUIT_TLS_CERTIFICATE": "certificate.pem",
    "MEDIACONDUIT_TLS_KEY": "key.pem",
    "MEDIACONDUIT_TLS_PEER": "peer.pem",
}


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """A certificate and its private key, in PEM."""

    certificate: bytes
    key: bytes

    @classmethod
    def make(cls) -> Identity:
        """A new one, signed by itself. About 1 ms."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, TLS_NAME)])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _CLOCK)
            .not_valid_after(now + _LIFE)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(TLS_NAME)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(
            certificate.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )


def introduce(broker: Identity, folder: Path, uid: int | None) -> tuple[MutualTls, dict[str, str]]:
    """A new identity for a sidecar: how the broker connects, and the variables that tell the sidecar.

    Args:
        broker: The broker's own.
        folder: The sidecar's private folder, which gets the files.
        uid: Its user; None = the broker's.
    """
    sidecar = Identity.make()
    texts = dict(zip(_FILES, (sidecar.certificate, sidecar.key, broker.certificate), strict=True))
    variables = {}
    for variable, name in _FILES.items():
        path = folder / name
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        with os.fdopen(handle, "wb") as file:
            file.write(texts[variable])
        if uid is not None:
            os.chown(path, uid, uid)
        variables[variable] = str(path)
    return MutualTls(broker.certificate, broker.key, sidecar.certificate), variables


def free_port() -> int:
    """A port that nobody has now. Who takes it before the sidecar does fails in the handshake."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
