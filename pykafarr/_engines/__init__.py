"""What Ray, dask, Spark and polars have in common."""
