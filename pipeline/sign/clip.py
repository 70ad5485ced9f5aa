"""Signs one clip, takes the signature out again, and reads what it says.

WAV gets a chunk "C2PA" behind its others; FLAC an ID3 tag in front, so that a signed FLAC file begins with "ID3". The
audio's own bytes stay as they are, and without the addition the file is the unsigned one, byte for byte.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

import numpy as np

from manifests.audio import decode
from manifests.errors import CorpusError, LawBroken, UserError
from manifests.libraries import extra, library, library_version
from manifests.schema import Audio

MIME = {"wav": "audio/wav", "flac": "audio/flac"}
"""The codecs of a corpus, all of which can be signed, and their media types."""
TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC's term for what a trained model made."""
ALGORITHMIC = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
"""IPTC's term for what an algorithm made without training."""
CLIP = "parley.clip"
"""Label of the assertion that binds a signature to the corpus and to the unsigned clip."""

_ACTIONS = ("c2pa.actions.v2", "c2pa.actions")
_CHUNK = b"C2PA"
_SOUND = ("Valid", "Trusted")
_NO_NETWORK = {"remote_manifest_fetch": False, "ocsp_fetch": False}
"""A clip may come from a stranger: an address in it is not asked for anything."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Says what was read of a clip's manifest.

    `state` is "Valid" (the bytes are what was signed), "Trusted" (and the signer's chain leads to a trusted
    certificate), "Invalid", or None for a clip without a manifest. `faults` are the codes of what failed. `claim` is
    the assertion of label `CLIP`. `is_stamped`: a time-stamping authority vouches for the time.
    """

    state: str | None
    signer: str = ""
    source_types: tuple[str, ...] = ()
    claim: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    is_stamped: bool = False

    @property
    def is_sound(self) -> bool:
        return self.state in _SOUND


def c2pa() -> Any:
    """Import the library; raises EngineUnavailable, which says what to install."""
    return library("c2pa", "signing", extra("sign"))


def c2pa_version() -> str:
    """Return name and version of the library; raises EngineUnavailable without it."""
    return f"c2pa-python {library_version('c2pa-python', 'signing', extra('sign'))}"


def reading_context(trust: str | None = None) -> Any:
    """Make the context in which clips are read. `trust`: PEM text of the certificates that chains must lead to."""
    anchors = {} if trust is None else {"trust": {"trust_anchors": trust}}
    return c2pa().Context.from_dict({"verify": {**_NO_NETWORK, "verify_trust": trust is not None}, **anchors})


def sign_clip(audio: Audio, claim: Mapping[str, Any], source_type: str, version: str, signer: Any) -> Audio:
    """Return the clip with a manifest. `claim` becomes the assertion `CLIP`, with the hash of the unsigned file.

    Proves before it returns that the manifest is valid, that the samples are the same, and that the unsigned file can
    be had back. Raises UserError for a clip that is signed already or that the signer cannot sign, CorpusError for
    one that cannot carry a manifest.
    """
    if audio.codec not in MIME:
        raise CorpusError(f"a clip of the codec {audio.codec} cannot carry a C2PA manifest: {', '.join(MIME)} can")
    if unsigned_bytes(audio.bytes, audio.codec) != audio.bytes:
        raise UserError("a clip of the corpus is signed already, and a second signature would hide the first")
    library_ = c2pa()
    assertion = {**claim, "sha256": hashlib.sha256(audio.bytes).hexdigest()}
    out = BytesIO()
    try:
        with library_.Builder.from_json(json.dumps(_manifest(assertion, source_type, version))) as builder:
            builder.sign(signer, MIME[audio.codec], BytesIO(audio.bytes), out)
    except library_.C2paError as error:
        raise UserError(f"the signer cannot sign: {_line(error)}") from error
    signed = replace(audio, bytes=out.getvalue())
    prove_same(audio, signed)
    return signed


def prove_same(audio: Audio, signed: Audio) -> None:
    """Raise unless the signature of the clip is valid and nothing but the signature was added to it."""
    found = read_signature(signed, reading_context())
    if not found.is_sound:
        raise UserError(f"the signature that was made is not valid: {', '.join(found.faults)}")
    if not np.array_equal(decode(audio)[0], decode(signed)[0]):
        raise LawBroken("signing changed the samples of a clip")
    if unsigned_bytes(signed.bytes, signed.codec) != audio.bytes:
        raise CorpusError("a clip is not laid out as Parley writes it: unsigned, it would not be the same file again")


def read_signature(audio: Audio, context: Any) -> Signature:
    """Read the manifest of a clip in a context of `reading_context`. Nothing wrong with it raises."""
    library_ = c2pa()
    try:
        with library_.Reader(MIME.get(audio.codec, audio.codec), BytesIO(audio.bytes), context=context) as reader:
            return _signature(json.loads(reader.json()))
    except library_.C2paError as error:
        is_missing = type(error).__name__.endswith("ManifestNotFound")
        return Signature(None if is_missing else "Invalid", faults=(_line(error),))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Signature("Invalid", faults=(f"unreadable: {type(error).__name__}",))


def unsigned_bytes(data: bytes, codec: str) -> bytes:
    """Return the file without its manifest: the file itself, if it has none."""
    return _without_chunk(data) if codec == "wav" else _without_tag(data)


def _manifest(assertion: Mapping[str, Any], source_type: str, version: str) -> dict[str, Any]:
    agent = {"name": "parley", "version": version}
    action = {"action": "c2pa.created", "digitalSourceType": source_type, "softwareAgent": agent}
    return {
        "claim_generator_info": [agent],
        "assertions": [
            {"label": "c2pa.actions", "data": {"actions": [action]}},
            {"label": CLIP, "data": dict(assertion)},
        ],
    }


def _signature(content: Mapping[str, Any]) -> Signature:
    manifest = content["manifests"][content["active_manifest"]]
    data = {assertion["label"]: assertion["data"] for assertion in manifest["assertions"]}
    actions = [action for label in _ACTIONS for action in data.get(label, {}).get("actions", [])]
    failures = content.get("validation_results", {}).get("activeManifest", {}).get("failure", [])
    info = manifest.get("signature_info", {})
    claim = data.get(CLIP)
    return Signature(
        state=str(content.get("validation_state")),
        signer=", ".join(filter(None, (info.get("common_name"), info.get("issuer")))),
        source_types=tuple(str(action["digitalSourceType"]) for action in actions if "digitalSourceType" in action),
        claim=claim if isinstance(claim, Mapping) else {},
        faults=tuple(str(failure["code"]) for failure in failures),
        is_stamped="time" in info,
    )


def _without_chunk(data: bytes) -> bytes:
    """Take the chunk "C2PA" out of a RIFF file, and its bytes out of the file's size."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return data
    at = 12
    while at + 8 <= len(data):
        size = struct.unpack_from("<I", data, at + 4)[0]
        end = min(at + 8 + size + size % 2, len(data))
        if data[at : at + 4] == _CHUNK:
            whole = struct.unpack_from("<I", data, 4)[0] - (end - at)
            return data[:4] + struct.pack("<I", max(whole, 0)) + data[8:at] + data[end:]
        at = end
    return data


def _without_tag(data: bytes) -> bytes:
    """Take the ID3v2 tag from the front of a file; its size has 7 bits in a byte (ID3v2.4, section 3.1)."""
    if data[:3] != b"ID3" or len(data) < 10:
        return data
    size = sum((byte & 0x7F) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
    footer = 10 if data[5] & 0x10 else 0
    return data[10 + size + footer :]


def _line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
