"""A tiny language model of random weights, as a Hugging Face checkpoint and as a GGUF file, made in a second.

    python -m tests.peers.checkpoints DIRECTORY

Runs in a peer's environment: it needs tokenizers, safetensors and gguf, and no PyTorch. The text is gibberish, but the
model is a whole Qwen3 with a tokenizer, special tokens and a chat template, so all that is around it can be tested.
"""

import json
import sys
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

ROOT = Path(__file__).parents[2]
CONTEXT = 4096
VOCABULARY = 4096
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
EOS = SPECIAL.index("<|im_end|>")
HIDDEN, FEED_FORWARD, LAYERS, HEADS, KV_HEADS, HEAD = 64, 128, 2, 2, 1, 32
ROPE_BASE, EPSILON = 10_000.0, 1e-6

# ChatML; `enable_thinking: false` puts an empty thought before the answer, as Qwen3's own template does.
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)

Weights = dict[str, npt.NDArray[np.float32]]


def main(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = trained_tokenizer()
    weights = random_weights(tokenizer)
    write_checkpoint(directory / "tiny-qwen3", tokenizer, weights)
    write_gguf(directory / "tiny-qwen3.gguf", tokenizer, weights)


def trained_tokenizer() -> Tokenizer:
    """A byte-level BPE. It learns from what we ask, so that this has about as many tokens as in a real model."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    files = sorted([*ROOT.glob("prompts/*/*/*.yaml"), *ROOT.glob("pipeline/samples/*.json")])
    tokenizer.train_from_iterator((file.read_text(encoding="utf-8") for file in files), trainer)
    return tokenizer


def random_weights(tokenizer: Tokenizer) -> Weights:
    """By the names of a Qwen3 checkpoint, [out, in], float32.

    Dimension 0 is the same for all tokens, so that the last layer can prefer those that end a text or a JSON string:
    without that a random model writes until it is stopped.
    """
    draw = np.random.default_rng(0)

    def matrix(rows: int, columns: int) -> npt.NDArray[np.float32]:
        return draw.normal(0, 0.05, (rows, columns)).astype(np.float32)

    size = tokenizer.get_vocab_size()
    embedding, head = matrix(size, HIDDEN), matrix(size, HIDDEN)
    embedding[:, 0], head[:, 0] = 1.0, 0.0
    for token in (EOS, *(tokenizer.token_to_id(mark) for mark in ('"', "}", '"}'))):
        if token is not None:
            head[token, 0] = 0.75
    weights = {
        "model.embed_tokens.weight": embedding,
        "model.norm.weight": np.ones(HIDDEN, np.float32),
        "lm_head.weight": head,
    }
    for layer in range(LAYERS):
        parts = {
            "input_layernorm": np.ones(HIDDEN, np.float32),
            "post_attention_layernorm": np.ones(HIDDEN, np.float32),
            "self_attn.q_norm": np.ones(HEAD, np.float32),
            "self_attn.k_norm": np.ones(HEAD, np.float32),
            "self_attn.q_proj": matrix(HEADS * HEAD, HIDDEN),
            "self_attn.k_proj": matrix(KV_HEADS * HEAD, HIDDEN),
            "self_attn.v_proj": matrix(KV_HEADS * HEAD, HIDDEN),
            "self_attn.o_proj": matrix(HIDDEN, HEADS * HEAD),
            "mlp.gate_proj": matrix(FEED_FORWARD, HIDDEN),
            "mlp.up_proj": matrix(FEED_FORWARD, HIDDEN),
            "mlp.down_proj": matrix(HIDDEN, FEED_FORWARD),
        }
        weights |= {f"model.layers.{layer}.{name}.weight": values for name, values in parts.items()}
    return weights


def write_checkpoint(directory: Path, tokenizer: Tokenizer, weights: Weights) -> None:
    """What `from_pretrained` reads."""
    directory.mkdir(exist_ok=True)
    config = {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "dtype": "float32",
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": HIDDEN,
        "intermediate_size": FEED_FORWARD,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "head_dim": HEAD,
        "max_position_embeddings": CONTEXT,
        "rope_theta": ROPE_BASE,
        "rms_norm_eps": EPSILON,
        "tie_word_embeddings": False,
        "eos_token_id": EOS,
        "pad_token_id": 0,
    }
    generation = {"eos_token_id": EOS, "pad_token_id": 0}
    tokenizer_config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": SPECIAL[EOS],
        "pad_token": SPECIAL[0],
        "model_max_length": CONTEXT,
        "chat_template": CHAT_TEMPLATE,
    }
    files = {"config": config, "generation_config": generation, "tokenizer_config": tokenizer_config}
    for name, content in files.items():
        (directory / f"{name}.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    tokenizer.save(str(directory / "tokenizer.json"))
    save_file(weights, directory / "model.safetensors", metadata={"format": "pt"})


def write_gguf(file: Path, tokenizer: Tokenizer, weights: Weights) -> None:
    """The same model for llama.cpp."""
    writer = gguf.GGUFWriter(str(file), "qwen3")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    _add_tokenizer(writer, tokenizer)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN3, LAYERS)
    for name, values in weights.items():
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if t in SPECIAL else gguf.TokenType.NORMAL for t in tokens])
    writer.add_token_merges([" ".join(pair) for pair in model["merges"]])
    writer.add_eos_token_id(EOS)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
