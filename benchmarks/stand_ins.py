"""Importing it puts empty modules where MosaicML Streaming imports torchvision and transformers.

Only its picture and text sets use them, and their requirements exclude those of the other readers.
"""

import sys
import types
from importlib.machinery import ModuleSpec
from typing import Any

for name in (
    "torchvision torchvision.datasets torchvision.transforms torchvision.transforms.functional transformers "
    "transformers.models transformers.models.auto transformers.models.auto.tokenization_auto "
    "transformers.feature_extraction_utils transformers.tokenization_utils_base"
).split():
    module: Any = types.ModuleType(name)
    module.__path__, module.__spec__ = [], ModuleSpec(name, None)
    module.__getattr__ = lambda wanted: type(wanted, (), {})
    sys.modules.setdefault(name, module)
