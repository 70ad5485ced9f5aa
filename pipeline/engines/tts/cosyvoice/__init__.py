"""CosyVoice 1, 2 and 3: speech with voices that are an embedding, a recording, or a name inside the model.

Upstream is not a package. Its source lies beside Parley and is imported when a recipe names such a model;
docs/cosyvoice.md says how to get it, what the versions do with a voice, and what was run.

=============  ==================================================================================================
upstream       finds upstream's source, and refuses PyPI's package of the same name
patches        makes upstream quiet, and right with current libraries, inside a worker
checkpoint     finds the model directory, recognizes its version, loads it
modes          chooses how to speak with a voice
timbre         turns what a voice holds into the inputs of the model
guards         refuses what upstream must not be given, and what it must not have made
watch          raises the exceptions of upstream's own thread
errors         decides which of upstream's errors end the worker, and describes the others
synthesizer    the engine
=============  ==================================================================================================
"""

from pipeline.engines.contract import SpeechSynthesizer
from pipeline.engines.tts.cosyvoice.upstream import NAME, find_source, source_digest
from pipeline.models import CosyVoiceModel

__all__ = ["NAME", "open_synthesizer", "version"]


def version(model: CosyVoiceModel | None = None) -> str:
    """Digest of upstream's source, which has no version number, after the model's name and revision if one is given.

    Raises EngineUnavailable where the source is missing.
    """
    library = f"source {source_digest(find_source())}"
    return f"{model.label} {NAME} {library}" if model else library


def open_synthesizer(model: CosyVoiceModel) -> SpeechSynthesizer:
    """Load the model. Raises EngineUnavailable where that fails."""
    from pipeline.engines.tts.cosyvoice.checkpoint import load
    from pipeline.engines.tts.cosyvoice.synthesizer import CosyVoiceSynthesizer

    return CosyVoiceSynthesizer(model, load(model), version(model))
