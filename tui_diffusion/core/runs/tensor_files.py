"""Tensors as the bytes of a ``.safetensors`` file, without a copy of them in memory.

The library's own writer makes a second copy and a third, and where memory is too little for them
it aborts the process. The format: eight bytes with the length of the header, the header in JSON
(type, shape and place of each tensor), and the numbers one tensor after the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

_TYPES = {
    torch.bool: "BOOL", torch.uint8: "U8", torch.int8: "I8", torch.int16: "I16",
    torch.float16: "F16", torch.bfloat16: "BF16", torch.int32: "I32", torch.float32: "F32",
    torch.float64: "F64", torch.int64: "I64",
}  # fmt: skip
"""What the format calls them, in its order, the smallest first."""


def save_tensors(tensors: Mapping[str, Tensor]) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a file with these tensors, which are on the CPU and contiguous."""
    sizes = list(_TYPES)
    # As the library does: the largest type first, so that each number stands at its alignment.
    order = sorted(tensors, key=lambda name: (-sizes.index(tensors[name].dtype), name))
    header, place = {}, 0
    for name in order:
        tensor = tensors[name]
        header[name] = {
            "dtype": _TYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [place, place + tensor.nbytes],
        }
        place += tensor.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little") + text
    for name in order:
        yield tensors[name].detach().reshape(-1).view(torch.uint8).numpy().data
