"""Certificates for tests, made anew in each run: a root, and a signer that C2PA accepts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def make_key(kind: str) -> Key:
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "ps256":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key({"es256": ec.SECP256R1, "es384": ec.SECP384R1}[kind]())


def write_signer(directory: Path, kind: str = "es256", days: int = 30) -> tuple[str, str, str]:
    """Write a chain, its key and its root into the directory; return their paths. `days`: until the signer's ends."""
    directory.mkdir(parents=True, exist_ok=True)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), make_key(kind)
    root = _certificate("root", root_key, "root", root_key, 30)
    leaf = _certificate("made-up signer", key, "root", root_key, days)
    pem = serialization.Encoding.PEM
    texts = {
        "chain.pem": leaf.public_bytes(pem) + root.public_bytes(pem),
        "key.pem": key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        "root.pem": root.public_bytes(pem),
    }
    for name, data in texts.items():
        (directory / name).write_bytes(data)
    chain, secret, trusted = (str(directory / name) for name in texts)
    return chain, secret, trusted


def _certificate(
    name: str, key: Key, issuer: str, issuer_key: ec.EllipticCurvePrivateKey, days: int
) -> x509.Certificate:
    is_root, now = name == issuer, datetime.now(UTC)
    unused = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    usage = dict.fromkeys((*unused, "encipher_only", "decipher_only"), False)
    signs = {"digital_signature": not is_root, "key_cert_sign": is_root, "crl_sign": is_root}
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(is_root, None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
        .add_extension(x509.KeyUsage(**usage, **signs), True)
    )
    if not is_root:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), True)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(name: str) -> x509.Name:
    organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test")
    return x509.Name([organization, x509.NameAttribute(NameOID.COMMON_NAME, name)])
