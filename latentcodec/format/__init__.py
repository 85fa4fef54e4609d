"""The `.lat` file: bytes, offsets and checksums. docs/format.md specifies it."""
