"""An ICC profile of printing inks, small enough to be made here."""

from __future__ import annotations

import numpy as np


def cmyk_profile() -> bytes:
    """An ICC profile of inks whose 16 corners have the colours of Pillow's formula."""
    inks = (np.arange(16)[:, None] >> np.array([3, 2, 1, 0])) & 1
    rgb = (1 - inks[:, :3]) * (1 - inks[:, 3:])
    # Linear sRGB to XYZ under D50, relative to its white, then CIE L*a*b*.
    to_xyz = np.array(
        [[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]]
    )
    f = np.cbrt((rgb @ to_xyz.T) / to_xyz.sum(axis=1))
    f = np.maximum(f, 16 / 116)
    lab = np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)
    grid = np.rint(np.clip(lab * [652.8, 256, 256] + [0, 32768, 32768], 0, 65535)).astype(">u2")
    identity = np.rint(np.eye(3).ravel() * 65536).astype(">i4").tobytes()
    ends = np.array([0, 65535], ">u2").tobytes()
    lut = b"mft2" + bytes([0, 0, 0, 0, 4, 3, 2, 0]) + identity + b"\0\2\0\2"
    white = b"XYZ \0\0\0\0" + np.array([63190, 65536, 54061], ">i4").tobytes()
    name = b"desc\0\0\0\0\0\0\0\5inks\0" + bytes(79)
    tags = {b"desc": name, b"cprt": b"text\0\0\0\0none\0", b"wtpt": white}
    tags[b"A2B0"] = lut + 4 * ends + grid.tobytes() + 3 * ends
    table, body = len(tags).to_bytes(4, "big"), b""
    for key, value in tags.items():
        value += bytes(-len(value) % 4)
        start = 132 + 12 * len(tags) + len(body)
        table += key + start.to_bytes(4, "big") + len(value).to_bytes(4, "big")
        body += value
    head = bytes(4) + b"\2\x40\0\0prtrCMYKLab " + bytes(12) + b"acsp" + bytes(28) + white[8:]
    whole = head + bytes(128 - 4 - len(head)) + table + body
    return (len(whole) + 4).to_bytes(4, "big") + whole


CMYK_ICC = cmyk_profile()
