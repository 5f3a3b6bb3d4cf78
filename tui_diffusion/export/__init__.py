"""What leaves the program: films, pictures, tables and scripts of an experiment.

    export(exhibit, Path("denoising.gif"), Options(size=(640, 480)), progress=bar)

The suffix chooses the kind. It knows the core, Pillow and ffmpeg, and no front end; all of them are
imported when a file is written.
"""

from .formats import FORMATS, check, samples
from .options import ExportError, Options
from .write import export

__all__ = ["FORMATS", "ExportError", "Options", "check", "export", "samples"]
