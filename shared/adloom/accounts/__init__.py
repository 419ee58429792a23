"""The routes of `auth` by what they are about. Each module has `add(app)`; the function only puts them together."""
