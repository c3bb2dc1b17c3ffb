"""Model files: safe to open from anywhere, whole or not at all on disk."""

from estep.io.modelfile import ModelFile, decode, encode, read, write

__all__ = ["ModelFile", "decode", "encode", "read", "write"]
