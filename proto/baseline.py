"""Writes proto/baseline.binpb.gz, the contract against which `make check` looks for breaking changes. Run by `make proto-baseline`."""

from __future__ import annotations

import gzip
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

HERE = Path(__file__).parent


def main() -> None:
    """Takes the generated descriptor set without its comments; the same protos give the same bytes."""
    descriptors = FileDescriptorSet.FromString((HERE / "gen" / "binglian" / "descriptors.binpb").read_bytes())
    for file in descriptors.file:
        file.ClearField("source_code_info")
    content = descriptors.SerializeToString(deterministic=True)
    (HERE / "baseline.binpb.gz").write_bytes(gzip.compress(content, mtime=0))


if __name__ == "__main__":
    main()
