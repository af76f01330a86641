"""The private database's certificate holds for this machine only, and its authority can sign nothing more."""

from __future__ import annotations

import socket
import ssl
import threading

import pytest

from uriai_cloud import certificates


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return certificates.ensure(tmp_path_factory.mktemp("tls"))


def handshake(made, name: str) -> str:
    """Connect to a server with that certificate as if it were called `name`; return the TLS version."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made.certificate, made.key)
    client = ssl.create_default_context(cafile=str(made.ca))
    client.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(theirs, server_side=True).close()
        except OSError:
            theirs.close()  # the client has refused, as it should

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(ours, server_hostname=name) as secure:
            return secure.version() or ""
    finally:
        ours.close()
        thread.join()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_the_certificate_is_good_for_this_machine(made, name):
    assert handshake(made, name) == "TLSv1.3"


@pytest.mark.parametrize("name", ["127.0.0.2", "database.example.org"])
def test_the_certificate_is_good_for_nothing_else(made, name):
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(made, name)


def test_the_authoritys_key_is_gone(made):
    assert sorted(path.name for path in made.ca.parent.iterdir()) == ["ca.pem", "server.key", "server.pem"]


def test_the_second_time_nothing_changes(made):
    before = made.certificate.read_bytes()
    assert certificates.ensure(made.ca.parent).certificate.read_bytes() == before
