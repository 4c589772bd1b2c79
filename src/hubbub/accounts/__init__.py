"""Accounts: people, passwords, sessions, bearer tokens, invitations. `service.Accounts` is the way in."""
