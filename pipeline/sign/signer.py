"""Opens the signer: a certificate chain, and a private key in a file or in a token that never gives it away.

Neither is part of a recipe. Where they are is said to the command, and stands in no manifest, log or message.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from manifests.errors import UserError
from manifests.libraries import extra, library
from pipeline.sign.clip import c2pa
from pipeline.sign.token import SCHEME, token_signer

_NEEDED_BY = "signing"
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class SignerPlan:
    """Says where the signer is; it is opened in each process that signs.

    `certificate`: PEM file, the signer's certificate first, then those that lead to its root. `key`: PEM file, or a
    `pkcs11:` address. `timestamp_server`: address of an RFC 3161 authority.
    """

    certificate: str = field(repr=False)
    key: str = field(repr=False)
    timestamp_server: str | None = None

    def open(self) -> Any:
        """Open the signer. Raises UserError for a certificate or key that cannot be used."""
        chain = self._chain()
        algorithm = self._algorithm(chain)
        library_ = c2pa()
        try:
            if self.key.startswith(SCHEME):
                choice = getattr(library_.C2paSigningAlg, algorithm.upper())
                sign = token_signer(self.key, algorithm)
                return library_.Signer.from_callback(sign, choice, chain.decode(), self.timestamp_server)
            stamp = self.timestamp_server.encode() if self.timestamp_server else None
            info = library_.C2paSignerInfo(algorithm.encode(), chain, self._private_key(chain), stamp)
            return library_.Signer.from_info(info)
        except library_.C2paError as error:
            raise UserError(f"the certificate or key cannot sign: {str(error).splitlines()[0]}") from None

    def digest(self) -> str:
        """Return the SHA-256 of the certificate chain: another signer does not go on with a corpus half signed."""
        return hashlib.sha256(self._chain()).hexdigest()

    def subject(self) -> str:
        """Return the name in the signer's certificate."""
        return str(_certificate(self._chain()).subject.rfc4514_string())

    def _chain(self) -> bytes:
        return _read(self.certificate, "--certificate")

    def _algorithm(self, chain: bytes) -> str:
        """Return the algorithm of C2PA that goes with the certificate's key."""
        key = _certificate(chain).public_key()
        curve = getattr(getattr(key, "curve", None), "name", None)
        kind = type(key).__name__.upper()
        if curve in _CURVES:
            return _CURVES[curve]
        if "ED25519" in kind:
            return "ed25519"
        if "RSA" in kind:
            return "ps256"
        raise UserError("--certificate: C2PA signs with keys on the curves P-256, P-384, P-521, Ed25519, or RSA")

    def _private_key(self, chain: bytes) -> bytes:
        """Read the key, and check that it is the certificate's."""
        serialization = library("cryptography.hazmat.primitives.serialization", _NEEDED_BY, extra("sign"))
        data = _read(self.key, "--key")
        try:
            key = serialization.load_pem_private_key(data, None)
        except (ValueError, TypeError):
            raise UserError("--key: not a PEM file of a private key without a password") from None
        form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        if key.public_key().public_bytes(*form) != _certificate(chain).public_key().public_bytes(*form):
            raise UserError("--key is not the key of the first certificate in --certificate")
        plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return bytes(key.private_bytes(*plain))


def _certificate(chain: bytes) -> Any:
    x509 = library("cryptography.x509", _NEEDED_BY, extra("sign"))
    try:
        return x509.load_pem_x509_certificates(chain)[0]
    except (ValueError, IndexError):
        raise UserError("--certificate: not a PEM file of certificates") from None


def _read(path: str, option: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise UserError(f"{option} cannot be read: {error.strerror}") from None
