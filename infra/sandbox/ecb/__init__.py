"""The European Central Bank's files of reference rates."""
