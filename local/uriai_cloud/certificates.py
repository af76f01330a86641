"""A certificate authority of this machine's own, so that TLS to MariaDB is verified as in the cloud."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from uriai_cloud.errors import ServiceFailed
from uriai_cloud.home import system_tool

DAYS = "3650"
_CONFIG = """\
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
"""


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files: the authority, and the server's certificate and key."""

    ca: Path
    certificate: Path
    key: Path


def ensure(folder: Path) -> Certificates:
    """Return the certificates for 127.0.0.1 and localhost in `folder`, made on first use.

    The authority's key is thrown away as soon as the one certificate is signed: nobody can have it sign another.
    """
    made = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    if made.ca.exists() and made.certificate.exists() and made.key.exists():
        return made
    openssl = system_tool("openssl", "openssl")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ca_key, request, config = folder / "ca.key", folder / "server.csr", folder / "openssl.cnf"
    config.write_text(_CONFIG, encoding="ascii")
    key: list[str | Path] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-config", config]
    name = ["-subj", "/CN=Uri-AI local authority", "-extensions", "authority"]
    _run([openssl, "req", "-x509", *key, *name, "-days", DAYS, "-keyout", ca_key, "-out", made.ca])
    _run([openssl, "req", "-new", *key, "-subj", "/CN=localhost", "-keyout", made.key, "-out", request])
    signer: list[str | Path] = [
        "-CA",
        made.ca,
        "-CAkey",
        ca_key,
        "-set_serial",
        "1",
        "-days",
        DAYS,
        "-extfile",
        config,
        "-extensions",
        "server",
    ]
    _run([openssl, "x509", "-req", "-in", request, *signer, "-out", made.certificate])
    made.key.chmod(0o600)
    for leftover in (ca_key, request, config):
        leftover.unlink()
    return made


def _run(command: Sequence[str | Path]) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServiceFailed(f"openssl could not make the database's certificate: {done.stderr.strip()}")
