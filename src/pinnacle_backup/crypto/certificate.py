"""A certificate that a server makes for itself (RFC 5280): who knows its fingerprint knows the server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pinnacle_backup.errors import UsageError

VALID_FOR: Final = timedelta(days=825)
"""Longer ones are refused by some systems, whoever made them."""

RENEWED_BEFORE: Final = timedelta(days=30)
_CLOCKS_DIFFER: Final = timedelta(days=1)


def self_made_certificate(names: Sequence[str], now: datetime) -> bytes:
    """
    Return a new key and a certificate for it, one after the other in PEM form: 128 bits of security (P-256).

    Args:
        names: What the server is called: names and addresses.
        now: When.

    Raises:
        UsageError: One of the names is none.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Pinnacle Backup")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return secret + certificate.public_bytes(Encoding.PEM)


def is_good_for(pem: bytes, names: Sequence[str], now: datetime) -> bool:
    """Tell whether a certificate has all these names and is valid for a while yet."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        known = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        wanted = [_general(name) for name in names]
    except (ValueError, x509.ExtensionNotFound):
        return False
    is_valid = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEWED_BEFORE
    return is_valid and all(name in known for name in wanted)


def fingerprint(pem: bytes) -> str:
    """
    Return the SHA-256 of a certificate as browsers show it: ``A1:B2:...``.

    Raises:
        ValueError: There is no certificate.
    """
    return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex(":").upper()


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name.strip("[]").partition("%")[0]))
    except ValueError:
        pass
    try:
        return x509.DNSName(name.encode("idna").decode())
    except ValueError:
        raise UsageError(f"{name!r} is no name of a server") from None
