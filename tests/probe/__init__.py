"""Compiles probe.proto and exposes it as `pb` and `pb_grpc`."""

import importlib
import importlib.resources
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

_ROOT = Path(__file__).parents[2]
_HERE = Path(__file__).parent


def _compile(target: Path) -> None:
    google = importlib.resources.files("grpc_tools") / "_proto"
    descriptors = _ROOT / "proto" / "gen" / "validate.binpb"
    arguments = [f"-I{_HERE}", f"-I{_ROOT / 'proto'}", f"-I{google}", f"--descriptor_set_in={descriptors}"]
    assert protoc.main(["protoc", *arguments, f"--python_out={target}", f"--grpc_python_out={target}", "probe.proto"]) == 0


with tempfile.TemporaryDirectory() as _folder:
    _compile(Path(_folder))
    sys.path.insert(0, _folder)
    try:
        pb = importlib.import_module("probe_pb2")
        pb_grpc = importlib.import_module("probe_pb2_grpc")
    finally:
        sys.path.remove(_folder)
