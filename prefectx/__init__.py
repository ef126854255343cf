"""Plain functions, run as bare calls, as a cached script, on Prefect, or on Prefect and Dask.

Decorate functions with `@task` and `@flow`; a configuration file decides how they run, where each
output is kept and in what form. The public names are listed in `__init__.pyi`, for people, type
checkers and the program alike, and are imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.1.0"
