"""The facts folder: the only source of every number that the sandbox serves."""
