"""Types of the data libraries, for annotations only: at run time nothing is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

# A DataFrame of pandas or polars, or a Table of Arrow. Any: two of them come without types.
Frame: TypeAlias = Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from matplotlib.figure import Figure as Figure
    from PIL.Image import Image as Image

    Array: TypeAlias = npt.NDArray[np.generic]
    ArrayType: TypeAlias = np.dtype[np.generic]
    PandasFrame: TypeAlias = pd.DataFrame
    PandasSeries: TypeAlias = pd.Series
    PandasIndex: TypeAlias = pd.Index
    PandasArray: TypeAlias = pd.api.extensions.ExtensionArray
    # A pandas or NumPy scalar or dtype, which come without types.
    PandasScalar: TypeAlias = pd.Timestamp
    PandasDtype: TypeAlias = pd.api.extensions.ExtensionDtype
    PolarsFrame: TypeAlias = pl.DataFrame
    ArrowTable: TypeAlias = pa.Table
    ArrowType: TypeAlias = pa.DataType
    ArrowArray: TypeAlias = pa.Array
    ArrowColumn: TypeAlias = pa.ChunkedArray
