"""Runs ONNX graphs on one CPU thread, or on a GPU where an engine asks for one.

On one thread, the same input gives the same values, whatever else the machine does.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from manifests.errors import EngineDied, EngineUnavailable
from manifests.libraries import library

_ERRORS = "onnxruntime.capi.onnxruntime_pybind11_state"
_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class OnnxSession:
    """One loaded graph. `run` works as that of onnxruntime's own session."""

    def __init__(self, source: Path | bytes, label: str, engine: str, install: str, device: str = "cpu") -> None:
        """Load a graph from its file or its bytes. `label` names it in messages, which must not hold paths.

        Raises EngineUnavailable where onnxruntime is missing, does not know the device ("cpu" or "cuda"), or the
        graph does not load.
        """
        runtime = library("onnxruntime", engine, install)
        if _PROVIDERS[device] not in runtime.get_available_providers():
            raise EngineUnavailable(f"{engine} cannot run on {device!r}: this onnxruntime was built without it")
        # The common base of onnxruntime's errors is Exception itself.
        self._errors = tuple(
            error
            for error in vars(library(_ERRORS, engine, install)).values()
            if isinstance(error, type) and issubclass(error, Exception)
        )
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = runtime.InferenceSession(
                source if isinstance(source, bytes) else str(source),
                sess_options=options,
                providers=[_PROVIDERS[device]],
            )
        except self._errors as error:
            raise EngineUnavailable(
                f"{engine} cannot load {label}: it is not an ONNX graph that onnxruntime {runtime.__version__} knows"
            ) from error
        nodes = self._session.get_inputs()
        self.inputs: dict[str, list[int | str | None]] = {node.name: list(node.shape) for node in nodes}
        self.input_types: dict[str, str] = {node.name: node.type for node in nodes}

    def run(self, outputs: list[str] | None, feeds: Mapping[str, Any]) -> list[Any]:
        """Run the graph. Raises EngineDied where that fails."""
        try:
            values: list[Any] = self._session.run(outputs, dict(feeds))
        except self._errors as error:
            raise EngineDied(f"an ONNX graph failed: {error}") from error
        return values
