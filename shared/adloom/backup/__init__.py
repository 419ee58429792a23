"""Backups: one encrypted file with everything that Adloom would miss, and the way back from it.

make.py       one snapshot of the database and the objects, into a file
read.py       walks through a file and holds it against its own manifest
restore.py    an empty server becomes what the file says

archive.py    the file: a tar of members, gzip, age; written and read as a stream
contents.py   what the members are called and hold
tables.py     what the database's catalogue says there is to copy
objects.py    the bucket's objects, as streams
target.py     the server that is to be filled
rowsum.py     a checksum of rows in whatever order
keys.py       key pairs, and fingerprints of the rings that encrypt tokens
files.py      files that are there whole or not at all
"""
