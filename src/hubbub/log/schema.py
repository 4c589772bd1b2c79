"""The tables, as SQLAlchemy Core knows them. `migrations/` makes them; a test holds that the two agree.

Times are milliseconds since 1970, UTC. Secrets (passwords, sessions, tokens, invitations) are kept as hashes only.
The room comes first in every key of the log, so that the log can be spread by room.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts an INTEGER PRIMARY KEY up by itself, and only that spelling.
_Id: Final = BigInteger().with_variant(Integer, "sqlite")

meta: Final = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

users: Final = Table(
    "users",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", String(32), nullable=False),
    Column("key", String(64), nullable=False, unique=True),  # names.key_of(name)
    Column("display_name", String(64), nullable=False, server_default=""),
    Column("role", String(16), nullable=False),  # owner, admin, member, bot
    Column("password", Text),  # an argon2id hash; null: no login by password
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    Column("preferences", Text),  # a JSON object of the clients' own
    sqlite_autoincrement=True,
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False, index=True),
    Column("hash", String(64), nullable=False, unique=True),  # SHA-256 of the cookie's value, in hex
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("address", String(64), nullable=False, server_default=""),
    Column("agent", String(200), nullable=False, server_default=""),
    sqlite_autoincrement=True,
)

tokens: Final = Table(
    "tokens",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False, index=True),
    Column("hash", String(64), nullable=False, unique=True),  # SHA-256 of the bearer token, in hex
    Column("label", String(64), nullable=False, server_default=""),
    Column("created_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

invitations: Final = Table(
    "invitations",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("purpose", String(16), nullable=False, server_default="join"),  # join, or reset (a password)
    Column("user_id", BigInteger, ForeignKey("users.id")),  # whose password; null when joining
    Column("role", String(16), nullable=False, server_default="member"),
    Column("uses_left", Integer, nullable=False),
    Column("created_by", BigInteger, ForeignKey("users.id")),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

rooms: Final = Table(
    "rooms",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("key", String(400), nullable=False, unique=True),  # names.key_of(name)
    Column("kind", String(16), nullable=False),  # public, private, direct
    Column("topic", Text, nullable=False, server_default=""),
    Column("created_at", BigInteger, nullable=False),
    Column("archived_at", BigInteger),
    sqlite_autoincrement=True,
)

# Names that a room had before: old links lead on, until another room takes the name.
room_aliases: Final = Table(
    "room_aliases",
    metadata,
    Column("key", String(400), primary_key=True),
    Column("room_id", BigInteger, ForeignKey("rooms.id"), nullable=False, index=True),
    sqlite_with_rowid=False,
)

members: Final = Table(
    "members",
    metadata,
    Column("room_id", BigInteger, ForeignKey("rooms.id"), primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), primary_key=True),
    Column("role", String(16), nullable=False),  # owner, member
    Column("read", BigInteger, nullable=False),
    Index("ix_members_user_id", "user_id"),
    sqlite_with_rowid=False,
)

# The log. `body` is the entry's payload as it was sent, but for the room's name, which may change.
# `now` is the message as it is now, if that differs: the projection of which history is a page.
entries: Final = Table(
    "entries",
    metadata,
    Column("room_id", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("type", String(64), nullable=False),  # of the event
    Column("user_id", BigInteger, nullable=False),  # 0: the server itself
    Column("client_id", String(64)),  # the sender's own id
    Column("at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("now", Text),
    # The sender's id first: ids made about the same time lie together, so a batch touches few pages of this index.
    Index(
        "uq_entries_client_id_user_id_room_id",
        "client_id",
        "user_id",
        "room_id",
        unique=True,
        sqlite_where=text("client_id IS NOT NULL"),
        postgresql_where=text("client_id IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

mentions: Final = Table(
    "mentions",
    metadata,
    Column("user_id", BigInteger, primary_key=True),  # 0: everyone in the room
    Column("room_id", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

# What search looks in: each message that is not deleted, its text folded (`log.folding`), in the order of time.
# Beside it lies `search_index`, SQLite's index (FTS5) of all runs of three characters in it, which no table here shows.
search_docs: Final = Table(
    "search_docs",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("room_id", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    UniqueConstraint("room_id", "seq"),
)

# Who changed whose rights, and what was refused to whom; see `accounts.audit`. Names, not numbers: it is for people.
audit: Final = Table(
    "audit",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),  # the last of `count` times
    Column("kind", String(32), nullable=False),
    Column(
        "visit", Boolean, nullable=False
    ),  # what anybody can cause; it is kept apart from changes of rights
    Column("who", String(64), nullable=False, server_default=""),
    Column("about", String(64), nullable=False, server_default=""),
    Column("address", String(64), nullable=False, server_default=""),
    Column("detail", String(200), nullable=False, server_default=""),
    Column("count", Integer, nullable=False),
    Index("ix_audit_visit_id", "visit", "id"),
    sqlite_autoincrement=True,
)

__all__ = [
    "audit",
    "entries",
    "invitations",
    "members",
    "mentions",
    "meta",
    "metadata",
    "room_aliases",
    "rooms",
    "search_docs",
    "sessions",
    "tokens",
    "users",
]
