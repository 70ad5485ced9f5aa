"""Run by the Python of LLaMA-Factory: prints what its loader makes of a data set of dataset_info.json, as JSON.

python read_llama_factory.py DIRECTORY NAME
"""

import importlib.machinery
import json
import sys
import types

# Its modules import torchaudio, whose build does not fit a PyTorch for CPUs, and do not need it to convert rows.
_TORCHAUDIO = types.ModuleType("torchaudio")
_TORCHAUDIO.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
sys.modules["torchaudio"] = _TORCHAUDIO

from datasets import load_dataset  # noqa: E402
from llamafactory.data.converter import align_dataset  # noqa: E402
from llamafactory.data.parser import get_dataset_list  # noqa: E402


def main(directory: str, name: str) -> None:
    (attributes,) = get_dataset_list([name], directory)
    file = f"{directory}/{attributes.dataset_name}"
    rows = load_dataset("json", data_files=file, split=attributes.split, cache_dir=f"{directory}-cache")
    data = types.SimpleNamespace(
        media_dir=directory, streaming=False, preprocessing_num_workers=1, overwrite_cache=True
    )
    made = align_dataset(rows, attributes, data, types.SimpleNamespace(local_process_index=0))
    print(json.dumps([{"messages": row["_prompt"] + row["_response"], "audios": row["_audios"]} for row in made]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
