"""The core: arrays and values. It knows no database, no HTTP, no environment, and no clock of its own."""

import sys

# OpenVINO reports each import of itself to its vendor, from a forked copy of the process, locks and pipes included.
# Nothing leaves an installation unasked, so it finds its reporter missing, with which it can live.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
