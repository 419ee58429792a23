"""A VPS with OpenFaaS: installed by install.sh, looked after by adloomctl.

install.sh, lib/   packages, users, programs, the release; all that has to be there before Python can run
systemd/           what systemd runs
files.py           every settings file of the machine, from the choices that were made
prepare.py         the database's first role, its migrations, the bucket
functions.py       secrets and images, and the functions one by one
change.py          from one release to another, and back
status.py          whether everything answers
"""
