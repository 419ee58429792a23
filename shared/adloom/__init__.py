"""The shared distribution of Adloom: what functions, dashboard and infrastructure import."""
