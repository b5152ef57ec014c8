"""OpenVINO, loaded when first needed and without its telemetry: int8 networks, much faster on CPUs with VNNI or AMX.

Nothing else here may import it. It needs the extra ``openvino``, and stands beside ONNX Runtime rather than in its
place.
"""

from aesth.openvino.session import PROVIDER, OpenVinoSession, load_openvino

__all__ = ["PROVIDER", "OpenVinoSession", "load_openvino"]
