"""Looking after a server's data: copies of the database, putting one back, and finding what is wrong.

`backup` and `restore` are for the SQLite database of one server; `doctor` looks at all that a server needs. They
work on files and connections of their own, beside a server that runs or without one.
"""
