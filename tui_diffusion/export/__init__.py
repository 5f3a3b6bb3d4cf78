"""Export of an experiment: animations, pictures, tables and scripts.

    export(exhibit, Path("denoising.gif"), Options(size=(640, 480)), progress=bar)

The suffix of the file selects the format. This package depends on the core, Pillow and ffmpeg, and
on no front end; it imports the last two when it writes a file.
"""

from .formats import FORMATS, check, samples
from .options import ExportError, ExportOptions
from .write import export

__all__ = ["FORMATS", "ExportError", "ExportOptions", "check", "export", "samples"]
