"""Builds the images of the functions and the services with podman, buildah or Docker."""
