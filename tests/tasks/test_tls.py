"""https: certificates that can be exchanged, and those that cannot be used."""

from __future__ import annotations

import http.client
import resource
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from engine.errors import ConfigurationError
from engine.tasks.front.tls import ServerTls, TlsFiles
from tests.tasks.certificates import DAY, Made, make, tls_files
from tests.tasks.conftest import Serve, Served

ECHO = "snaps: {echo: {snap: Mapper, mappings: {$content: $}}}"


def refusal(certificate: Path, key: Path, ca: Path | str = "") -> str:
    with pytest.raises(ConfigurationError) as raised:
        ServerTls(TlsFiles(str(certificate), str(key), str(ca)))
    return str(raised.value)


class TestMistakes:
    def test_a_key_of_another_certificate(self, tmp_path: Path) -> None:
        one, two = make(tmp_path, "one"), make(tmp_path, "two")
        assert "two.key' does not belong to the certificate" in refusal(one.certificate, two.key)

    def test_an_encrypted_key_is_refused_without_asking_for_its_passphrase(
        self, tmp_path: Path
    ) -> None:
        made = make(tmp_path, "one", passphrase="secret")
        text = refusal(made.certificate, made.key)
        assert "is encrypted; store it without a passphrase" in text
        assert "openssl pkey" in text

    def test_files_that_are_missing_or_hold_something_else(self, tmp_path: Path) -> None:
        made, gone = make(tmp_path, "one"), tmp_path / "gone"
        der = tmp_path / "one.der"
        der.write_bytes(ssl.PEM_cert_to_DER_cert(made.certificate.read_text()))
        assert "cannot read the TLS certificate" in refusal(gone, made.key)
        assert "cannot read the TLS key" in refusal(made.certificate, gone)
        assert "No such file" in refusal(made.certificate, gone)
        assert "has no certificate in PEM form" in refusal(der, made.key)
        assert "has no private key in PEM form" in refusal(made.certificate, made.certificate)
        assert "has no certificate in PEM form" in refusal(*made, made.key)

    @pytest.mark.parametrize("which", ["certificate", "key"])
    def test_a_half_written_file(self, tmp_path: Path, which: str) -> None:
        made = make(tmp_path, "one")
        file: Path = getattr(made, which)
        text = file.read_text()
        file.write_text(text[: len(text) // 2])
        assert "cannot be used: its PEM text is damaged or incomplete" in refusal(*made)

    def test_options_that_need_others(self, capsys: pytest.CaptureFixture[str]) -> None:
        for option in ("--tls-key", "--tls-client-ca"):
            assert main(["serve", "echo.yaml", option, "x"]) == 2
            assert f"{option} does nothing without --tls-cert" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("end", "start", "text"),
        [
            (-DAY, -3 * DAY, "has expired: it was valid until 20"),
            (9 * DAY, DAY * 3, "is not valid before 20"),
        ],
    )
    def test_a_certificate_out_of_its_time_is_a_warning(
        self, tmp_path: Path, end: Any, start: Any, text: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        ServerTls(tls_files(make(tmp_path, "one", end=end, start=start))).warn()
        (record,) = caplog.records
        assert text in record.getMessage()

    def test_a_good_one_is_no_warning(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        ServerTls(tls_files(make(tmp_path, "one"))).warn()
        assert caplog.records == []


@contextmanager
def calling(served: Served, trusted: Made, own: Made | None = None) -> Iterator[Callable[..., int]]:
    """A connection of a client with the certificate that it trusts, and perhaps one of its own."""
    context = ssl.create_default_context(cafile=str(trusted.certificate))
    if own is not None:
        context.load_cert_chain(own.certificate, own.key)
    connection = http.client.HTTPSConnection("127.0.0.1", served.port, timeout=30, context=context)

    def status(body: bytes = b"") -> int:
        connection.request("POST" if body else "GET", "/tasks/echo", body)
        response = connection.getresponse()
        response.read()
        return response.status

    try:
        yield status
    finally:
        connection.close()


def status_of(served: Served, trusted: Made, own: Made | None = None, body: bytes = b"") -> int:
    with calling(served, trusted, own) as call:
        return call(body)


def served_with(serve: Serve, folder: Path, made: Made, *more: str | Path) -> Served:
    (folder / "echo.yaml").write_text(ECHO)
    options = ["--tls-cert", made.certificate, "--tls-key", made.key]
    served = serve("echo.yaml", *options, *more, ready=False)
    wait_until_ready(served)
    return served


def wait_until_ready(served: Served) -> None:
    served.wait_for(lambda: "instance 1 is ready" in served.stderr)


def test_a_new_certificate_is_used_after_sighup_and_a_wrong_one_is_not(
    serve: Serve, tmp_path: Path
) -> None:
    made = make(tmp_path, "server")
    served = served_with(serve, tmp_path, made)
    assert served.url.startswith("https://")
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old = make(tmp_path / "old", "server")
    old.certificate.write_bytes(made.certificate.read_bytes())
    with calling(served, old) as before:
        assert before() == 200

        fresh = make(tmp_path / "new", "server")
        made.certificate.write_bytes(fresh.certificate.read_bytes())
        served.signal(signal.SIGHUP)
        served.wait_for(lambda: "the old TLS certificate stays in use" in served.stderr)
        assert "does not belong to the certificate" in served.stderr
        assert status_of(served, old) == 200

        made.key.write_bytes(fresh.key.read_bytes())
        served.signal(signal.SIGHUP)
        served.wait_for(lambda: "TLS certificate read again" in served.stderr)
        assert status_of(served, fresh) == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            status_of(served, old)
        assert before() == 200  # its connection goes on


def test_callers_need_a_certificate_if_an_authority_is_named(serve: Serve, tmp_path: Path) -> None:
    made, caller, stranger = (make(tmp_path, name) for name in ("server", "caller", "stranger"))
    served = served_with(serve, tmp_path, made, "--tls-client-ca", caller.certificate)
    assert status_of(served, made, caller) == 200
    for own in (None, stranger):
        with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)):
            status_of(served, made, own)


def test_a_large_body_that_is_refused_gets_its_response(serve: Serve, tmp_path: Path) -> None:
    made = make(tmp_path, "server")
    (tmp_path / "small.yaml").write_text(
        "name: echo\ntype: ultra\npipeline: echo.yaml\nlimits: {body: 1000}\n"
    )
    (tmp_path / "echo.yaml").write_text(ECHO)
    served = serve("small.yaml", "--tls-cert", made.certificate, "--tls-key", made.key, ready=False)
    wait_until_ready(served)
    for _ in range(3):
        assert status_of(served, made, body=bytes(5_000_000)) == 413


def test_what_is_not_tls_costs_its_connection_and_no_line_of_the_log(
    serve: Serve, tmp_path: Path
) -> None:
    made = make(tmp_path, "server")
    served = served_with(serve, tmp_path, made)
    before = served.stderr
    for data in (b"GET / HTTP/1.1\r\n\r\n", bytes(1000), b"\x16\x03\x01\x00\x05hello"):
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
            connection.sendall(data)
            with suppress(ConnectionError):
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1000):
                    pass
    assert status_of(served, made) == 200
    assert served.stderr == before


def test_old_versions_of_tls_are_refused(tmp_path: Path) -> None:
    context = ServerTls(tls_files(make(tmp_path, "one"))).context
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_server_that_may_open_no_more_files_waits_for_some(serve: Serve, tmp_path: Path) -> None:
    made = make(tmp_path, "server")
    served = served_with(serve, tmp_path, made)
    _, hard = resource.prlimit(served.pid, resource.RLIMIT_NOFILE)
    used = len(list(Path(f"/proc/{served.pid}/fd").iterdir()))
    resource.prlimit(served.pid, resource.RLIMIT_NOFILE, (used, hard))
    with ExitStack() as callers:

        def is_reported() -> bool:
            address = ("127.0.0.1", served.port)
            callers.enter_context(socket.create_connection(address, timeout=30))
            return "cannot accept connections: Too many open files" in served.stderr

        served.wait_for(is_reported)
        resource.prlimit(served.pid, resource.RLIMIT_NOFILE, (hard, hard))
        assert status_of(served, made) == 200
