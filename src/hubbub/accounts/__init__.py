"""Accounts: people, passwords, sessions, bearer tokens, invitations.

`service.Accounts` is the way in for a server; the command line uses the functions of a database connection in
`people`, `bearer` and so on.
"""
