"""The recipes of docs/pandas.md, which shows their source."""

import base64
import json

import pandas as pd
import pyarrow as pa


def texts(column):
    def text(value):
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        return json.dumps(value, default=text) if isinstance(value, (dict, list, tuple)) else str(value)

    return pd.Series([text(value) for value in pa.array(column).to_pylist()], index=column.index, dtype="str")


def read_parquet(path):
    return pd.read_parquet(path, dtype_backend="pyarrow")


def to_json(frame):
    return frame.to_json(orient="records", lines=True, date_format="iso", date_unit="us", double_precision=15)
