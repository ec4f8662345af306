"""The OpenAPI 3.1 description of everything the gateway answers, made from the descriptors and their comments."""

from gateway.openapi.document import build_document

__all__ = ["build_document"]
