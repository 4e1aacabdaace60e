"""What is made for a sidecar that is talked to over TCP."""

from __future__ import annotations

import datetime
import stat
from pathlib import Path

from cryptography import x509
from mediaconduit.channels import TLS_NAME
from mediaconduit_broker.isolation.certificates import Identity, introduce


def test_a_sidecar_gets_its_key_and_who_may_call_and_the_broker_keeps_its_own(tmp_path: Path) -> None:
    broker = Identity.make()
    tls, variables = introduce(broker, tmp_path, None)
    files = {name.rpartition("_")[2]: Path(path) for name, path in variables.items()}
    assert files["CERTIFICATE"].read_bytes() == tls.peer
    assert files["PEER"].read_bytes() == broker.certificate == tls.certificate
    assert files["KEY"].read_bytes() not in (broker.key, b"")
    assert all(broker.key not in path.read_bytes() for path in tmp_path.iterdir())
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o400}


def test_no_two_are_alike_and_each_outlives_its_process() -> None:
    one, other = (x509.load_pem_x509_certificate(Identity.make().certificate) for _ in range(2))
    assert one.serial_number != other.serial_number
    assert one.public_key() != other.public_key()
    names = one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [TLS_NAME]
    now = datetime.datetime.now(datetime.UTC)
    assert one.not_valid_before_utc < now - datetime.timedelta(hours=23)
    assert one.not_valid_after_utc > now + datetime.timedelta(days=3000)


def test_keys_do_not_show_themselves(tmp_path: Path) -> None:
    identity = Identity.make()
    tls, _ = introduce(identity, tmp_path, None)
    assert "PRIVATE" not in repr(identity) + repr(tls)
