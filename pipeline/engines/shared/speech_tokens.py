"""Speech tokens of clips, as rows and side-cars hold them."""

from collections.abc import Sequence

from manifests.schema import SpeechTokens
from pipeline.engines.contract import Clip, Failure, SpeechTokenizer


def tokens_of(clips: Sequence[Clip], engine: SpeechTokenizer) -> list[SpeechTokens | Failure]:
    """Return the tokens that the engine takes from each clip's audio."""
    return [
        codes
        if isinstance(codes, Failure)
        else SpeechTokens(
            tokenizer=engine.tokenizer,
            revision=engine.revision,
            sample_rate=engine.sample_rate,
            hop_length=engine.hop_length,
            codebook_size=engine.codebook_size,
            books=codes,
            derivation="wav2token",
            license=engine.license,
        )
        for codes in engine.tokenize(clips)
    ]
