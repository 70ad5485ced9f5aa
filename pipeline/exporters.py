"""The exporters that there are, found by name. Parley's own are in `manifests.export`."""

from manifests.export.contract import Exporter
from pipeline.doors import Door

EXPORTERS = Door("parley.exporters", Exporter)
