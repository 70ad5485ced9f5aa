"""Signs with a key that stays in a PKCS#11 token: a smart card, a hardware security module, a key server."""

import hashlib
import os
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

from manifests.errors import UserError
from manifests.libraries import extra, library

SCHEME = "pkcs11:"
PIN = "PARLEY_PKCS11_PIN"
"""Environment variable with the PIN of the token."""

_HASHES = {"es256": "sha256", "es384": "sha384", "es512": "sha512"}


def token_signer(address: str, algorithm: str) -> Callable[[bytes], bytes]:
    """Return a function that has the token sign; the session stays open as long as the process lives.

    `address` is that of RFC 7512: `pkcs11:token=NAME;object=NAME?module-path=LIBRARY`. `algorithm` is C2PA's. Raises
    UserError if the token does not open the key.
    """
    if algorithm not in _HASHES:
        raise UserError("--key: a key in a token must be on the curve P-256, P-384 or P-521")
    key, mechanism = _open_key(address)

    def sign(data: bytes) -> bytes:
        digest = hashlib.new(_HASHES[algorithm], data).digest()
        return bytes(key.sign(digest, mechanism=mechanism))

    return sign


@cache
def _open_key(address: str) -> tuple[Any, Any]:
    """Return the key and the mechanism to sign with. A process logs in once: a token allows no more."""
    pkcs11 = library("pkcs11", "a key in a token", extra("sign"))
    path, _, query = address.removeprefix(SCHEME).partition("?")
    parts = {name: unquote(value) for name, _, value in (part.partition("=") for part in path.split(";") if part)}
    module = parse_qs(query).get("module-path", [""])[0]
    if not module or "object" not in parts:
        raise UserError("--key: the address is pkcs11:token=NAME;object=NAME?module-path=LIBRARY")
    try:
        token = pkcs11.lib(module).get_token(token_label=parts.get("token"))
        session = token.open(user_pin=os.environ.get(PIN))
        key = session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, label=parts["object"])
    except (pkcs11.exceptions.PKCS11Error, RuntimeError) as error:
        raise UserError(f"--key: the token does not open the key: {type(error).__name__} (its PIN: {PIN})") from None
    return key, pkcs11.Mechanism.ECDSA
