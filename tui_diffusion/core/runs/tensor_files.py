"""Serialise tensors to a ``.safetensors`` file without copying them in memory.

The library's writer makes two more copies and aborts the process if memory is too small for them.
The format: eight bytes with the length of the header, the header in JSON (type, shape and offsets
of each tensor), and the data of one tensor after the other.
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
"""Names of the types in the format, in its order, smallest first."""


def save_tensors(tensors: Mapping[str, Tensor]) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a file with these tensors, which must be contiguous on the CPU."""
    sizes = list(_TYPES)
    # As in the library, the largest type first, so that every number is aligned.
    order = sorted(tensors, key=lambda name: (-sizes.index(tensors[name].dtype), name))
    header, offset = {}, 0
    for name in order:
        tensor = tensors[name]
        header[name] = {
            "dtype": _TYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + tensor.nbytes],
        }
        offset += tensor.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little") + text
    for name in order:
        yield tensors[name].detach().reshape(-1).view(torch.uint8).numpy().data
