"""The shared distribution of Adloom: what functions, dashboard and infrastructure import."""

# As in shared/pyproject.toml; images hold the code without the metadata of an installed package.
__version__ = "0.1.0"
