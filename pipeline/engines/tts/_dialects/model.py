"""What the recipe says of a model behind a speech server, whatever it speaks, and how its answers are read."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_serializer

from manifests.errors import EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Failure
from pipeline.engines.remote.clip import UnusableFormat, read_clip
from pipeline.engines.tts._dialects.dialect import PLAIN, AnswerRules
from pipeline.engines.tts._dialects.headers import is_cut_off
from pipeline.settings import Checkpoint, public_name


class ServedSpeech(Checkpoint):
    """Settings that all models behind speech servers share."""

    dialect: str = Field(PLAIN, description="which field carries what: `parley servers dialects`, or a YAML file")
    response_format: Literal["wav", "flac", "pcm"] = Field("wav", description="of the answer; lossless ones only")
    pcm_sample_rate: int = Field(24_000, gt=0, description="of raw pcm whose media type tells no rate, Hz")
    send_seed: bool | None = Field(None, description="send a seed; none: as the dialect does")
    extra_body: dict[str, Any] = Field({}, description="further fields of every request, for this server")

    @field_serializer("dialect")
    def _no_private_path(self, dialect: str) -> str:
        """Shorten a private path: the recipe is copied into manifests."""
        return public_name(dialect)

    @property
    def base_fields(self) -> dict[str, Any]:
        """The fields of every request, whatever the dialect."""
        return {"model": self.model, "response_format": self.response_format}


def read_answer(
    model: ServedSpeech, rules: AnswerRules, answer: bytes, headers: Mapping[str, str], server: str
) -> Clip | Failure:
    """Return the clip of an answer; a Failure where the server says that it was cut off.

    Raises EngineUnavailable for audio that is not what was asked for. `server` begins its sentence.
    """
    try:
        clip = read_clip(answer, headers, model.pcm_sample_rate if model.response_format == "pcm" else None)
    except UnusableFormat as error:
        raise EngineUnavailable(
            f"{server} answers with {error} where {model.response_format} was asked for; {error.hint}"
        ) from None
    if is_cut_off(rules, headers):
        return Failure(Reason.CUT_OFF, "the server says that the speech ended at its limit of length")
    return clip
