"""What each kind of speech server refuses, as its own source says it: the sentence of its 400, or None.

Servers check less than that, and more; these are the rules that a client can break.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Fields = Mapping[str, Any]
Rule = Callable[[Fields, str], str | None]
"""From the fields of a request and the model's name to the refusal."""

_VLLM = frozenset(
    "model input voice instructions response_format speed task_type language ref_audio ref_text x_vector_only_mode"
    " speaker_embedding max_new_tokens seed extra_params word_timestamps sample_rate".split()
)
_WORDS = frozenset({"English", "Chinese", "Auto"})
CUSTOM_VOICES = frozenset({"vivian", "ryan", "aiden"})


def _clip(value: object) -> str | None:
    ok = isinstance(value, str) and value.startswith("data:audio/")
    return None if ok else "ref_audio must be a URL, a base64 data URL or a file URI"


def _vllm(fields: Fields) -> str | None:
    if fields.get("speaker_embedding") is not None and fields.get("ref_audio") is not None:
        return "'speaker_embedding' and 'ref_audio' are mutually exclusive"
    return None


def qwen3_base(fields: Fields, model: str) -> str | None:
    if problem := _vllm(fields):
        return problem
    has_reference = "ref_audio" in fields or "ref_text" in fields
    task = fields.get("task_type") or ("Base" if has_reference else "CustomVoice")
    if task != "Base":
        return f"Qwen3-TTS Base checkpoint does not support task_type='{task}'. Use task_type='Base'"
    if "voice" in fields:
        return f"Base task with built-in speaker '{fields['voice']}' requires 'ref_audio' for voice cloning"
    if "language" in fields and str(fields["language"]).title() not in _WORDS:
        return f"Invalid language '{fields['language']}'. Supported: Auto, Chinese, English"
    if fields.get("word_timestamps"):
        return (
            None if "aligned" in model else "word_timestamps requires the server to be launched with --forced-aligner"
        )
    if "speaker_embedding" in fields:
        wanted = 1024 if "0.6B" in model else 2048
        if len(fields["speaker_embedding"]) != wanted:
            found = len(fields["speaker_embedding"])
            return f"speaker_embedding has {found} dimensions; expected {wanted} for the loaded Qwen3-TTS model"
        return None
    if "ref_audio" not in fields:
        return "Base task requires 'ref_audio' or 'speaker_embedding' for voice cloning"
    if not str(fields.get("ref_text", "")).strip() and not fields.get("x_vector_only_mode"):
        return "Base task requires non-empty 'ref_text' unless 'x_vector_only_mode' is enabled"
    return _clip(fields["ref_audio"])


def qwen3_custom_voice(fields: Fields, model: str) -> str | None:
    if fields.get("task_type", "CustomVoice") != "CustomVoice":
        return "Qwen3-TTS CustomVoice checkpoint does not support that task_type"
    if "speaker_embedding" in fields:
        return "'speaker_embedding' is only valid for Base task"
    if "ref_text" in fields:
        return "'ref_text' is only valid for Base task"
    if str(fields.get("voice", "")).lower() not in CUSTOM_VOICES:
        return f"Invalid voice '{fields.get('voice')}'. Supported: {', '.join(sorted(CUSTOM_VOICES))}"
    if "language" in fields and str(fields["language"]).title() not in _WORDS:
        return f"Invalid language '{fields['language']}'"
    return None


def cosyvoice3(fields: Fields, model: str) -> str | None:
    if "ref_audio" not in fields:
        return "CosyVoice3 requires 'ref_audio' (reference audio for voice cloning)"
    if not str(fields.get("ref_text", "")).strip():
        return "CosyVoice3 requires 'ref_text' (transcript of the reference audio)"
    if "<|endofprompt|>" in fields["ref_text"]:
        return "test: the server writes the template itself"
    return _clip(fields["ref_audio"])


_ZONOS = frozenset(
    "input model voice response_format speed stream stream_format max_new_tokens sample_rate seed extra_params"
    " language ref_audio speaker_embedding x_vector_only_mode".split()
)


def zonos2(fields: Fields, model: str) -> str | None:
    if unknown := sorted(fields.keys() - _ZONOS):
        return f"ZONOS2 does not support '{unknown[0]}' (emotion/style CFG is not implemented)"
    if str(fields.get("voice", "default")).lower() != "default":
        return "ZONOS2 supports voice='default'; use ref_audio for speaker conditioning"
    if str(fields.get("language", "english")).lower() not in ("english", "en", "chinese", "zh"):
        return f"Unsupported ZONOS2 language: {fields['language']!r}"
    if problem := _vllm(fields):
        return problem
    if "speaker_embedding" in fields and len(fields["speaker_embedding"]) != 2048:
        return "ZONOS2 speaker_embedding requires a finite 2048D vector"
    if isinstance(fields.get("ref_audio"), list):
        return "ZONOS2 supports a single reference audio"
    return None


def moss_tts(fields: Fields, model: str) -> str | None:
    if "speaker_embedding" in fields:
        return "'speaker_embedding' is not supported"
    return _clip(fields.get("ref_audio"))


def moss_ttsd(fields: Fields, model: str) -> str | None:
    if not re.fullmatch(r"(\[S[12]\][^\[\]]+)+", str(fields["input"])):
        return "test: the script of MOSS-TTSD is [S1]text[S2]text"
    if "ref_audio" not in fields:
        return "MOSS-TTSD requires 'ref_audio' (speaker 1 reference)."
    if "ref_text" in fields or "voice" in fields:
        return "test: MOSS-TTSD reads neither a name nor the words of a recording"
    if "[S2]" in fields["input"] and "ref_audio_2" not in fields:
        return "test: without ref_audio_2 both speakers have one voice"
    return moss_tts(fields, model) or (_clip(fields["ref_audio_2"]) if "ref_audio_2" in fields else None)


def vibevoice(fields: Fields, model: str) -> str | None:
    if "seed" in fields:
        return "VibeVoice does not support request-level seed determinism; omit 'seed'"
    for name in ("speaker_embedding", "instructions", "language", "ref_text", "task_type", "word_timestamps"):
        if name in fields:
            return f"VibeVoice does not support '{name}'"
    if "voice" in fields:
        return f"Unknown VibeVoice voice '{fields['voice']}'"
    lines = [line.strip() for line in fields["input"].splitlines() if line.strip()]
    found = [re.fullmatch(r"Speaker\s+(\d+)\s*:\s*(.+)", line, re.IGNORECASE) for line in lines]
    if any(found) and not all(found):
        return "VibeVoice input must be either plain text or contain only `Speaker N: text` lines"
    speakers = len({match[1] for match in found if match}) or 1
    references = fields.get("ref_audio", [])
    if not isinstance(references, list) or len(references) != speakers:
        return f"VibeVoice found {speakers} speakers but received {len(references)} reference audios"
    return next((problem for reference in references if (problem := _clip(reference))), None)


def indextts2(fields: Fields, model: str) -> str | None:
    if "ref_audio" not in fields:
        return "IndexTTS2 requires 'ref_audio' or an uploaded audio voice for voice cloning"
    extra = fields.get("extra_params", {})
    if "emo_text" in extra and not isinstance(extra["emo_text"], str):
        return "extra_params.emo_text must be a string"
    if "emo_text" in extra and extra.get("use_emo_text") is not True:
        return "test: emo_text is read only with use_emo_text"
    return _clip(fields["ref_audio"])


def sglang(fields: Fields, model: str) -> str | None:
    references = fields.get("references")
    if "speaker_embedding" in fields or "voice" in fields or "ref_audio" in fields:
        return "test: a recording is wanted as references"
    if not isinstance(references, list) or len(references) != 1 or not isinstance(references[0], dict):
        return "references must be a list of {audio_path, text}"
    if "language" in fields and fields["language"] not in _WORDS:
        return f"Invalid language {fields['language']!r}"
    return _clip(references[0].get("audio_path"))


def kokoro(fields: Fields, model: str) -> str | None:
    if not isinstance(fields.get("voice"), str):
        return "voice: Field required"
    if fields.get("lang_code", "a") not in "abefhipjz":
        return f"Invalid lang_code {fields['lang_code']}"
    return None if 0.25 <= fields.get("speed", 1) <= 4 else "speed: Input should be less than or equal to 4"


def speaches(fields: Fields, model: str) -> str | None:
    return None if isinstance(fields.get("voice"), str) else "voice: Field required"


_OPENAI = frozenset({"model", "input", "voice", "response_format", "speed", "instructions", "stream_format"})


def openai(fields: Fields, model: str) -> str | None:
    if unknown := sorted(fields.keys() - _OPENAI):
        return f"Unknown parameter: '{unknown[0]}'"
    return None if "voice" in fields else "voice: Field required"


RULES: Mapping[str, Rule] = {
    "openai": openai,
    "vllm-omni-qwen3-tts-base": qwen3_base,
    "vllm-omni-qwen3-tts-customvoice": qwen3_custom_voice,
    "vllm-omni-cosyvoice3": cosyvoice3,
    "vllm-omni-zonos2": zonos2,
    "vllm-omni-moss-tts": moss_tts,
    "vllm-omni-vibevoice": vibevoice,
    "vllm-omni-indextts2": indextts2,
    "sglang-omni": sglang,
    "kokoro-fastapi": kokoro,
    "speaches": speaches,
}
SCRIPT_RULES: Mapping[str, Rule] = {"vllm-omni-moss-ttsd": moss_ttsd, "vllm-omni-vibevoice": vibevoice}
"""Those of the models that speak whole dialogues."""
