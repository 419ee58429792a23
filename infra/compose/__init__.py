"""The whole platform as containers: one model, written as a compose file and run by podman."""
