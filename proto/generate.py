"""Generates proto/gen from the .proto files: Python modules, type stubs, gRPC code and one descriptor set.

`google/api` comes from the googleapis-common-protos wheel, `buf/validate` from the descriptor that the protovalidate wheel carries,
so the rules we compile against are always those of the installed validator. Run by `make proto`.
"""

from __future__ import annotations

import importlib.resources
import os
import shutil
import sys
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import DecodeError
from grpc_tools import protoc
from protovalidate._gen.buf.validate import validate_pb

SOURCE = Path(__file__).parent
TARGET = SOURCE / "gen"
VALIDATE = "buf/validate/validate.proto"


def write_validate_descriptor(path: Path) -> None:
    """Writes buf/validate/validate.proto as a FileDescriptorSet with one file (field 1, length-delimited)."""
    data = validate_pb.desc().proto.to_binary()
    length = len(data)
    prefix = bytearray(b"\x0a")
    while length > 0x7F:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    prefix.append(length)
    path.write_bytes(bytes(prefix) + data)


def include_paths() -> list[str]:
    """Folders where imported .proto files are looked up."""
    bundled = importlib.resources.files("grpc_tools") / "_proto"
    google = importlib.resources.files("google.api") / ".." / ".."
    return [f"-I{SOURCE}", f"-I{bundled}", f"-I{google}"]


def run_protoc(arguments: list[str]) -> None:
    """Runs the protoc of grpcio-tools; its own messages say what is wrong in which line."""
    if protoc.main(["protoc", *arguments]) != 0:
        sys.exit("proto: protoc refused the files named above; correct them and run `make proto` again")


def mark_packages(root: Path) -> None:
    """Makes every folder of the generated tree a typed Python package."""
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        (folder / "__init__.py").touch()
    (root / "py.typed").touch()


def generate(*, build: Path) -> None:
    """Fills the folder `build` with generated code for every .proto file of the repository."""
    validate = build / "validate.binpb"
    write_validate_descriptor(validate)
    ours = sorted(str(path.relative_to(SOURCE)) for path in (SOURCE / "binglian").rglob("*.proto"))
    imports = [*include_paths(), f"--descriptor_set_in={validate}"]
    code = [f"--python_out={build}", f"--mypy_out=quiet:{build}"]
    run_protoc([*imports, *code, VALIDATE])
    run_protoc([*imports, *code, f"--grpc_python_out={build}", f"--mypy_grpc_out=quiet:{build}", *ours])
    mark_packages(build / "binglian")
    mark_packages(build / "buf")
    descriptors = build / "binglian" / "descriptors.binpb"
    run_protoc([*imports, "--include_imports", "--include_source_info", f"--descriptor_set_out={descriptors}", *ours])
    check_descriptors(descriptors)


def check_descriptors(path: Path) -> None:
    """Reads the set back: protoc was once seen to write one with a wrong length in it, without a word."""
    try:
        FileDescriptorSet.FromString(path.read_bytes())
    except DecodeError:
        sys.exit("proto: the descriptor set was damaged while it was written; run `make proto` again")


def replace(*, build: Path) -> None:
    """Puts the finished tree in place of the old one, so that nobody imports a half-written one for long."""
    old = TARGET.with_name(".gen-old")
    shutil.rmtree(old, ignore_errors=True)
    if TARGET.exists():
        TARGET.rename(old)
    build.rename(TARGET)
    shutil.rmtree(old, ignore_errors=True)


def main() -> None:
    """Generates everything anew; takes a few seconds."""
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    build = TARGET.with_name(f".gen-{os.getpid()}")
    build.mkdir()
    try:
        generate(build=build)
        replace(build=build)
    finally:
        shutil.rmtree(build, ignore_errors=True)


if __name__ == "__main__":
    main()
