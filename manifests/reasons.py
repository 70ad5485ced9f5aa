"""Lists every reason for which a row does not reach the corpus.

A *reject* says that the data is bad; a *fail* says that Parley could not process it. Every row ends as kept, rejected
or failed, and a rejected or failed row always has one of these reasons.
"""

from typing import Literal

from manifests.meanings import Meaningful

Kind = Literal["rejected", "failed"]


class Reason(Meaningful):
    """Says why a row was dropped. `kind` tells a reject from a fail, `meaning` explains the reason in words."""

    kind: Kind

    def __init__(self, value: str, kind: Kind, meaning: str) -> None:
        self.kind = kind

    # ingest
    UNREADABLE_ROW = "unreadable_row", "rejected", "the row is not valid JSON, or the file breaks off inside it"
    UNKNOWN_SCHEMA = (
        "unknown_schema",
        "rejected",
        "the row lacks fields of its format, or they have the wrong type",
    )
    EMPTY_ROW = "empty_row", "rejected", "the row has no user text"
    DUPLICATE = "duplicate", "rejected", "an earlier row of the input has the same text"
    PLUGIN_ROW = "plugin_row", "rejected", "the conversation calls tools or plug-ins whose results cannot be spoken"
    UNSUPPORTED_LANGUAGE = (
        "unsupported_language",
        "rejected",
        "the recipe does not cover the language of the row",
    )

    # rewrite and screen
    CODE = "code", "rejected", "the row asks for or contains program code, mark-up or a query"
    TABLE = "table", "rejected", "the row asks for or contains a table or other structured output"
    LONG_WRITING = "long_writing", "rejected", "the row asks for a long text: an essay, e-mail, story, poem, list"
    MATHS = "maths", "rejected", "the row holds formulas that cannot be read aloud"
    MEDIA = "media", "rejected", "the row holds, asks for or refers to an image, audio, video, file or link"
    MISSING_MATERIAL = "missing_material", "rejected", "the row refers to material that is not in it"
    DEBRIS = (
        "debris",
        "rejected",
        "the text holds what no person says: marks of a prompt or a chat, a second turn, a thought, an error message",
    )
    NON_TEXT = "non_text", "rejected", "too large a share of the characters is not letters, digits or punctuation"
    RARE_SYMBOLS = "rare_symbols", "rejected", "the row holds symbols that nobody says aloud"
    TOO_LONG = "too_long", "rejected", "the text is too long to be spoken as one turn"
    UNCLEAR = "unclear", "rejected", "the question cannot be understood on its own"
    UNSAFE = "unsafe", "rejected", "the question or its answer is unsafe"
    NOT_SPEAKABLE = "not_speakable", "rejected", "a good answer cannot be given in a few spoken sentences"
    NEAR_DUPLICATE = "near_duplicate", "rejected", "an earlier row of the input asks nearly the same question"

    # respond and converse
    NO_ANSWER = (
        "no_answer",
        "rejected",
        "there is no answer, or a placeholder or an error message in its place, and the engine cannot write one",
    )
    ECHO = "echo", "rejected", "the answer only repeats the question"
    ANSWER_NOT_SPEAKABLE = "answer_not_speakable", "rejected", "the answer is code, a table, a list or a formula"
    ANSWER_TOO_LONG = "answer_too_long", "rejected", "no sentence of the answer ends within the limit"
    UNPRONOUNCEABLE = (
        "unpronounceable",
        "rejected",
        "the text holds what cannot be said, or a number that can be read in several ways",
    )
    REFUSED = (
        "refused",
        "rejected",
        "the language model or the data set declines to answer, or says that a machine does",
    )
    WRONG_LANGUAGE = "wrong_language", "rejected", "a text is in a language other than the row's"
    TEXT_ENGINE_FAILED = "text_engine_failed", "failed", "the text engine gave no usable result"

    # tools and slots
    ARGUMENT_UNSAID = (
        "argument_unsaid",
        "rejected",
        "a value of a tool call that the source's user says is no longer said",
    )
    ARGUMENT_MISHEARD = (
        "argument_misheard",
        "rejected",
        "a value of a tool call is said in the turn, and was not heard",
    )

    # judge
    INCOHERENT = (
        "incoherent",
        "rejected",
        "the turns do not fit together: an answer misses its question, or contradicts",
    )
    OUT_OF_ROLE = (
        "out_of_role",
        "rejected",
        "a side leaves its role: the agent talks as the user, or the user as the agent",
    )
    UNNATURAL = "unnatural", "rejected", "a side does not talk as people do in a spoken conversation"

    # pii
    PERSONAL_DATA = (
        "personal_data",
        "rejected",
        "a text holds an e-mail address, a phone number, or a valid number of a card, an account or an identity",
    )

    # cast and synthesize
    NO_VOICE = "no_voice", "failed", "the voice bank has no voice of this language for the speech engines at hand"
    SYNTHESIS_FAILED = "synthesis_failed", "failed", "the synthesizer gave no audio"

    # perform
    WRONG_SPEAKER = (
        "wrong_speaker",
        "rejected",
        "the turn was spoken by another voice of its dialogue: the dialogue engine mixed up who says what",
    )

    # perform and align
    UNALIGNED = (
        "unaligned",
        "rejected",
        "when the words of the turn are spoken could not be found, or cannot be, and the recipe wants it known",
    )

    # arrange
    NO_TIMELINE = (
        "no_timeline",
        "rejected",
        "the turns cannot be laid out on one clock: a cue or a label names a word that is not there, or rates differ",
    )

    NOT_PLACED = (
        "not_placed",
        "rejected",
        "what is heard beside a turn waits for a word that is not said, or whose time is not known: it is left out of "
        "the dialogue, which never ends for this",
    )

    # mix
    UNMIXABLE = (
        "unmixable",
        "rejected",
        "the clip does not fit into its channel: it has another sample rate, or sticks out of the timeline",
    )
    SILENT_CHANNEL = (
        "silent_channel",
        "rejected",
        "the user's side is digital silence, against which no level of noise can be set",
    )

    # watermark
    WATERMARK_FAILED = "watermark_failed", "failed", "the watermarker could not process the clip"
    WATERMARK_MISSING = "watermark_missing", "rejected", "the watermark is not found in the delivered bytes"
    WATERMARK_FOREIGN = "watermark_foreign", "rejected", "the watermark found carries another corpus's message"

    # transcribe and gate
    NO_RECOGNIZER = "no_recognizer", "failed", "no recognizer for this language: the speech cannot be verified here"
    RECOGNITION_FAILED = "recognition_failed", "failed", "the recognizer could not process the clip"
    EMPTY_REFERENCE = "empty_reference", "rejected", "nothing is left of the spoken text after normalization"
    TOO_SHORT = "too_short", "rejected", "the clip is too short for its text: speech is cut off or missing"
    TOO_LONG_SPEECH = "too_long_speech", "rejected", "the clip is too long for its text: run-away speech"
    HALLUCINATION_SILENCE = (
        "hallucination_silence",
        "rejected",
        "the recognizer wrote text where there is no speech, or a stock phrase that nobody said",
    )
    HALLUCINATION_RATE = (
        "hallucination_rate",
        "rejected",
        "the recognizer wrote more than anybody can say in the length of the clip",
    )
    HALLUCINATION_LOOP = "hallucination_loop", "rejected", "the recognizer wrote the same passage over and over"
    HALLUCINATION_PROMPT = (
        "hallucination_prompt",
        "rejected",
        "the text of the voice's reference recording is heard in the clip: the synthesizer read its prompt aloud",
    )
    HALLUCINATION_LANGUAGE = (
        "hallucination_language",
        "rejected",
        "the recognizer wrote in a language other than the row's",
    )
    ERROR_RATE = "error_rate", "rejected", "the transcript is too far from the intended text (CER or WER)"
    WORST_TURN = "worst_turn", "rejected", "one turn alone exceeds the limit of the worst turn"
    EDGE_ERROR = "edge_error", "rejected", "the beginning or the end of a turn is not heard"
    CROSS_TALK = (
        "cross_talk",
        "rejected",
        "the clip says the text of another turn that was spoken at the same time: the speech server mixed them up",
    )

    # assess
    MEASUREMENT_FAILED = (
        "measurement_failed",
        "failed",
        "a quality model or speaker encoder could not process the clip",
    )
    CLIPPED = "clipped", "rejected", "more of the clip is cut off at full scale than the recipe allows"
    LONG_SILENCE = "long_silence", "rejected", "the clip begins or ends with more silence than the recipe allows"
    CUT_OFF = (
        "cut_off",
        "rejected",
        "the synthesizer's clip ends in the middle of speech, by its last sound or by what its server says",
    )
    NARROW_BAND = "narrow_band", "rejected", "the clip has no sound above a frequency that the recipe asks for"
    VOICE_DRIFT = "voice_drift", "rejected", "the clip does not sound like its own voice"
    OFF_STYLE = "off_style", "rejected", "the clip does not sound like the style that the turn asks for"
    LOW_QUALITY = "low_quality", "rejected", "a predicted listener rating is below the recipe's limit"


def reason_of(value: str | None) -> Reason | None:
    """Return the reason with that value, or None if there is none."""
    return Reason.of(value)
