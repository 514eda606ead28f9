"""The version: of the package and of the library inside it. The build reads this very line."""

__version__ = "0.1.0"
