"""The ad platforms' wire formats. One folder each, with the same file names; nothing here knows the database."""
