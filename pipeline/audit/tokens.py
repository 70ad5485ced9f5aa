"""Speech tokens as an attack: what is left of the mark in a clip that was tokenized and decoded again."""

from collections.abc import Sequence

from manifests.errors import UserError
from pipeline.audio.samples import resample
from pipeline.audit.attacks import Attack
from pipeline.audit.codecs import fit
from pipeline.audit.corpus_view import CorpusView
from pipeline.engines.contract import Clip, Failure, SpeechTokenizer


def token_attacks(view: CorpusView, names: Sequence[str]) -> tuple[Attack, ...]:
    """Load the tokenizers of these names, each of which is an attack.

    Raises UserError for one whose codes cannot be decoded, and like `load_engine`.
    """
    return tuple(_attack(name, view.engines["tokenizer", name]) for name in names)


def _attack(name: str, engine: SpeechTokenizer) -> Attack:
    if not engine.decodes:
        raise UserError(f"the tokenizer {name} ({engine.tokenizer}) does not decode, so no mark can be looked for")

    def apply(clip: Clip) -> Clip | None:
        (codes,) = engine.tokenize([clip])
        if isinstance(codes, Failure):
            return None
        (decoded,) = engine.decode([codes])
        samples = resample(decoded.samples, decoded.sample_rate, clip.sample_rate)
        return Clip(fit(samples, len(clip.samples)), clip.sample_rate)

    return Attack(f"tokens-{name}", f"speech tokens of {engine.tokenizer}, decoded", apply)
