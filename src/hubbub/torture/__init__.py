"""Proof that nothing is lost: real servers, real clients, faults by a seed, and a checker over what everyone saw.

`plan` draws the faults, `proxy` and `server` commit them, `witness` is a client that keeps what it heard, `checker`
compares that with the log, `run` puts them together, and `command` is `hubbub torture`. What is promised is in
docs/promises.md.
"""
