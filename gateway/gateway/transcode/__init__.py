"""Between JSON and protobuf: the proto3 JSON mapping, compiled once per message type from its descriptor.

`codec_of(descriptor)` is the way in. `query` binds path and query parameters, `text` reads and writes the JSON itself.
"""

from gateway.transcode.codec import Codec, codec_of
from gateway.transcode.failure import DecodeError

__all__ = ["Codec", "DecodeError", "codec_of"]
