"""CosyVoice 1, 2 and 3: speech with voices that are an embedding, a recording, or a name inside the model.

Upstream is no package. Its source lies beside Parley and is imported when a recipe names such a model;
docs/cosyvoice.md says how to get it, what the versions do with a voice, and what was run.

=============  ==================================================================================================
source         where upstream is, which source it is, and that PyPI's package of its name is not it
mends          what upstream needs to run in a worker: quiet, and right with current libraries
checkpoint     the model directory: found, told apart by version, loaded
timbre         what a voice holds, as the inputs of the model
guards         what is not sent to upstream at all
watch          exceptions of upstream's own thread
errors         which of upstream's errors end the worker, and what is said of the others
synthesizer    the engine
=============  ==================================================================================================
"""

from pipeline.engines.contract import SpeechSynthesizer
from pipeline.engines.tts.cosyvoice.upstream import NAME, find_source, source_digest
from pipeline.models import CosyVoiceModel

__all__ = ["NAME", "open_synthesizer", "version"]


def version(model: CosyVoiceModel | None = None) -> str:
    """Digest of upstream's source, which has no version number; with the model's name and revision before it.

    Raises EngineUnavailable where the source is not there.
    """
    library = f"source {source_digest(find_source())}"
    return f"{model.label} {NAME} {library}" if model else library


def open_synthesizer(model: CosyVoiceModel) -> SpeechSynthesizer:
    """The model, ready to speak. Raises EngineUnavailable where it cannot load."""
    from pipeline.engines.tts.cosyvoice.checkpoint import load
    from pipeline.engines.tts.cosyvoice.synthesizer import CosyVoiceSynthesizer

    return CosyVoiceSynthesizer(model, load(model), version(model))
