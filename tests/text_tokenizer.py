"""A text tokenizer as `transformers` loads it, small and without a download: a token is a byte."""

import json
from pathlib import Path


def make_text_tokenizer(directory: Path, first_id: int = 0) -> Path:
    """Write the tokenizer into `directory`; its ids are those of GPT-2's byte alphabet, sorted, from `first_id`."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={each: first_id + number for number, each in enumerate(alphabet)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    directory.mkdir(parents=True)
    made.save(str(directory / "tokenizer.json"))
    (directory / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    return directory
