import pytest

from pipeline.engines.encoder._hyperparams import has_key, problem
from pipeline.engines.encoder.speechbrain import forget_old_names
from pipeline.engines.shared.torchaudio_import import import_torchaudio

try:
    import_torchaudio()
except ImportError:
    pytest.skip("needs torchaudio", allow_module_level=True)
pytest.importorskip("speechbrain", reason="needs the extra 'voicebank'")
forget_old_names()

ECAPA = """# Parameters of a model
n_mels: 24
pretrained_path: somebody/spkrec-ecapa

compute_features: !new:speechbrain.lobes.features.Fbank
    n_mels: !ref <n_mels>
mean_var_norm: !new:speechbrain.processing.features.InputNormalization
    norm_type: sentence
    std_norm: False
embedding_model: !new:speechbrain.lobes.models.ECAPA_TDNN.ECAPA_TDNN
    input_size: !ref <n_mels>
    activation: !name:torch.nn.ReLU
    channels: [16, 16, 16, 16, 48]
    kernel_sizes: [5, 3, 3, 3, 1]
    dilations: [1, 2, 3, 4, 1]
    attention_channels: 8
    lin_neurons: 12
    se_channels: 8
    res2net_scale: 2
classifier: !new:speechbrain.lobes.models.ECAPA_TDNN.Classifier
    input_size: 12
    out_neurons: 3
modules: {compute_features: !ref <compute_features>, classifier: !ref <classifier>}
label_encoder: !new:speechbrain.dataio.encoder.CategoricalEncoder
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        embedding_model: !ref <embedding_model>
    paths:
        embedding_model: !ref <pretrained_path>/embedding_model.ckpt
"""


def test_a_model_that_is_only_described_is_trusted():
    assert problem(ECAPA) is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("x: !apply:os.system [ls]", "!apply:os.system can run code", id="call"),
        pytest.param("x: !applyref:os.system [ls]", "!applyref:os.system can run code", id="call while resolving"),
        pytest.param("x: !!python/object/apply:os.system [ls]", "can run code", id="yaml's own call"),
        pytest.param("x: !<tag:yaml.org,2002:python/object/apply:os.system> [ls]", "reaches into", id="in full"),
        pytest.param("x: !module:os", "!module:os can run code", id="module"),
        pytest.param("x: !include:other.yaml", "can run code or read other files", id="another file"),
        pytest.param(
            "x: !new:subprocess.Popen [ls]", "subprocess.Popen is not a class", id="class of another package"
        ),
        pytest.param(
            "x: !new:speechbrain.utils.superpowers.subprocess.Popen [ls]", "not a class", id="through a module"
        ),
        pytest.param("x: !new:speechbrain.nnet.linear.logging.FileHandler [f]", "not a class", id="through an import"),
        pytest.param("x: !new:torch.nn.functional.Callable", "not a class", id="what a module imports"),
        pytest.param(
            "x: !new:speechbrain.utils.train_logger.FileTrainLogger [f]", "not a class", id="class that writes files"
        ),
        pytest.param("x: !name:speechbrain.utils.superpowers.run_shell", "not a class", id="function"),
        pytest.param("x: !name:torch.hub.load", "is not a class", id="function of torch"),
        pytest.param("x: !new:speechbrain.nnet.no_such_module.X", "is not a class", id="no such module"),
        pytest.param("x: (1, !!python/object/apply:os.system [ls])", "can run code", id="tuple that is parsed again"),
        pytest.param("x: '(1, !!python/object/apply:os.system [ls])'", "can run code", id="the same, quoted"),
        pytest.param('x: "(1, \\x21\\x21python/object/apply:os.system [ls])"', "escapes", id="the same, escaped"),
        pytest.param("x: '!'\ny: !ref (1, <x><x>python/name:os.system)", "can run code", id="put together"),
        pytest.param("x: !ref <embedding_model.forward>", "reaches into an object", id="attribute"),
        pytest.param("%TAG ! tag:yaml.org,2002:python/\n---\nx: !name", "directives", id="renamed tags"),
        pytest.param("x: {paths: {m: /etc/passwd}}", "/etc/passwd is not a file of the model", id="other file"),
        pytest.param("x: {paths: {m: other/repository/m.ckpt}}", "is not a file of the model", id="other repository"),
        pytest.param("x: {paths: {m: !ref <pretrained_path>/../m.ckpt}}", "is not a file", id="outside"),
        pytest.param("x: {collect_in: /home/me}", "would write files elsewhere", id="links elsewhere"),
        pytest.param("x: [", "not plain YAML", id="broken"),
        pytest.param("x: !PLACEHOLDER", "!PLACEHOLDER", id="nothing filled in"),
    ],
)
@pytest.mark.parametrize("place", ["before", "after"])
def test_a_file_that_does_more_is_not(line, words, place):
    text = f"{line}\n{ECAPA}" if place == "before" else f"{ECAPA}{line}\n"
    assert words in problem(text)


@pytest.mark.parametrize(
    ("text", "has"),
    [(ECAPA, True), ("x:\n    pretrained_path: y\n", False), ("# pretrained_path: y\n", False), ("", False)],
)
def test_key_of_the_uppermost_level(text, has):
    assert has_key(text, "pretrained_path") is has
