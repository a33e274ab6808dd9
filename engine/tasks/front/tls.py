"""TLS: a certificate that can be exchanged while the server runs.

A new certificate is checked whole, and the handshakes from then on use it; open connections go on
with theirs. One that cannot be used leaves the old one in place.
"""

from __future__ import annotations

import logging
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import ConfigurationError

log = logging.getLogger(__name__)

_NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME: the times are looked at here, for a better message."""


class TlsFiles(msgspec.Struct, frozen=True):
    """Paths of PEM files. `key` may be in the file of the certificate. With `client_ca`, callers
    must have a certificate of one of these authorities."""

    certificate: str
    key: str
    client_ca: str = ""


class ServerTls:
    """`context` is for the listening socket."""

    def __init__(self, files: TlsFiles) -> None:
        """Raises ConfigurationError if the files cannot be used."""
        self._files = files
        self._current = _load(files)
        self.context = _load(files)
        self.context.sni_callback = self._choose  # called for every handshake, name or not

    def reload(self) -> None:
        """Use the files as they are now; if they cannot be used, log why and keep the old ones."""
        try:
            self._current = _load(self._files)
        except ConfigurationError as error:
            log.error("the old TLS certificate stays in use: %s", error)
        else:
            log.info("TLS certificate read again")
            self.warn()

    def warn(self) -> None:
        """Log what is doubtful about the certificate."""
        if found := _doubt(self._files):
            log.warning("the TLS certificate %r %s", self._files.certificate, found)

    def _choose(self, connection: ssl.SSLObject, name: str | None, context: Any) -> None:
        connection.context = self._current


def _load(files: TlsFiles) -> ssl.SSLContext:
    _pem(files.certificate, "certificate", "BEGIN CERTIFICATE")
    key = files.key or files.certificate
    _pem(key, "key", "PRIVATE KEY")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(files.certificate, key, password=_refuse_encrypted)
    except _EncryptedError:
        raise ConfigurationError(
            f"the TLS key {key!r} is encrypted; store it without a passphrase, readable only by "
            f"the user of the server: openssl pkey -in {key} -out NEW_KEY"
        ) from None
    except ssl.SSLError as error:
        raise ConfigurationError(_why_not(files.certificate, key, error)) from None
    if files.client_ca:
        _pem(files.client_ca, "client CA", "BEGIN CERTIFICATE")
        context.verify_mode = ssl.CERT_REQUIRED
        context.num_tickets = 0  # a resumed session would not be checked again
        try:
            context.load_verify_locations(files.client_ca)
        except ssl.SSLError as error:
            raise ConfigurationError(
                f"the TLS client CA {files.client_ca!r} cannot be used: {_reason(error)}"
            ) from None
    return context


class _EncryptedError(Exception):
    """The key needs a passphrase, which nobody can type into a server."""


def _refuse_encrypted() -> str:
    raise _EncryptedError


def _pem(path: str, what: str, mark: str) -> None:
    """Raises ConfigurationError unless the file holds what it should."""
    try:
        text = Path(path).read_text(encoding="latin-1")
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigurationError(f"cannot read the TLS {what} {path!r}: {why}") from None
    if mark not in text:
        kind = "certificate" if "CERTIFICATE" in mark else "private key"
        raise ConfigurationError(
            f"the TLS {what} {path!r} has no {kind} in PEM form; it must have a line with '{mark}'"
        )


def _why_not(certificate: str, key: str, error: ssl.SSLError) -> str:
    if error.reason in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"):
        return (
            f"the TLS key {key!r} does not belong to the certificate {certificate!r}; "
            "give the files that were made together"
        )
    return f"the TLS certificate {certificate!r} with the key {key!r} cannot be used: " + _reason(
        error
    )


def _reason(error: ssl.SSLError) -> str:
    if not error.reason:
        return "its PEM text is damaged or incomplete"
    return error.reason.replace("_", " ").lower()


def _doubt(files: TlsFiles) -> str:
    """What a caller would find wrong with the certificate now; empty if nothing."""
    try:
        found = _handshake(files)
    except (ssl.SSLError, OSError) as error:
        message = getattr(error, "verify_message", "") or str(error)
        return f"would be refused by callers: {message}"
    now = datetime.now(UTC)
    start, end = _moment(found, "notBefore"), _moment(found, "notAfter")
    if now < start:
        return f"is not valid before {start:%Y-%m-%d %H:%M} UTC"
    return f"has expired: it was valid until {end:%Y-%m-%d %H:%M} UTC" if now > end else ""


def _moment(certificate: dict[str, Any], field: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate[field]), UTC)


def _handshake(files: TlsFiles) -> dict[str, Any]:
    """The certificate as a caller sees it that trusts it itself, from a handshake in memory."""
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(files.certificate, files.key or None, password=_refuse_encrypted)
    caller = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    caller.check_hostname = False
    caller.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    caller.load_verify_locations(files.certificate)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        caller.wrap_bio(back, there),
        served.wrap_bio(there, back, server_side=True),
    )
    for end in ends * 3:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return dict(ends[0].getpeercert() or {})
