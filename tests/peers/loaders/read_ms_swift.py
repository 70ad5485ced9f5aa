"""Run by the Python of ms-swift: prints the rows that its loader and its template's inputs make of a file, as JSON.

python read_ms_swift.py FILE
"""

import json
import sys

from swift.dataset import load_dataset
from swift.template.template_inputs import StdTemplateInputs


def main(file: str) -> None:
    rows, _ = load_dataset([file], split_dataset_ratio=0.0, num_proc=1)
    inputs = [StdTemplateInputs.from_dict(dict(row)) for row in rows]
    print(json.dumps([{"messages": each.messages, "audios": each.audios} for each in inputs]))


if __name__ == "__main__":
    main(sys.argv[1])
