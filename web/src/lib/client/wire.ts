// Made by tools/make_protocol.py from src/hubbub/events.py and src/hubbub/errors.py. Don't edit it: run
// `make documents`. What the events mean together is in docs/protocol.md.

/** The full profile's subprotocol. */
export const SUBPROTOCOL = 'hubbub.v1';

/** Before a ticket that travels as a subprotocol. */
export const TICKET_PREFIX = 'ticket.';

/** Of one's own choosing, to tell which request an answer is for. */
export type Ref = string | number;

/** Enter a room, to hear and be seen; again, to resume after the entry numbered `after` of that `epoch`. */
export interface Enter {
  /** The room's name. */
  room: string;
  /** The number of the last entry that you hold; left out: you hold none. */
  after?: number;
  /** The epoch that `after` belongs to; left out: not checked. */
  epoch?: string;
}

/** Stop hearing a room. You stay a member. */
export interface Exit {
  /** The room's name. */
  room: string;
}

/**
 * Say something. `id` is the client's own, unique for ever: sending again with it changes nothing. In the basic profile
 * there is neither `room` nor `id`, and `from` is there but not believed.
 */
export interface SendMessage {
  /** The text, as it was typed. */
  message: string;
  /** The room's name. Needed in the full profile. */
  room?: string;
  /** Your own id for this message, unique for ever. Needed in the full profile. */
  id?: string;
  /** The number of the message that this one answers. */
  reply_to?: number;
}

/** Change the text of your own message. */
export interface EditMessage {
  /** The room's name. */
  room: string;
  /** The number of the message. */
  seq: number;
  /** The new text. */
  message: string;
  /** The request's own id, see [sending exactly once](#sending-exactly-once). */
  id?: string;
}

/** Take a message back: its text is erased from the log. Your own, or anyone's where you are in charge. */
export interface DeleteMessage {
  /** The room's name. */
  room: string;
  /** The number of the message. */
  seq: number;
  /** The request's own id, see [sending exactly once](#sending-exactly-once). */
  id?: string;
}

/** Add an emoji to a message, or take yours back with `remove`. */
export interface React {
  /** The room's name. */
  room: string;
  /** The number of the message. */
  seq: number;
  /** One emoji: up to 32 characters, no spaces. */
  emoji: string;
  /** Take yours back. */
  remove?: boolean;
  /** The request's own id, see [sending exactly once](#sending-exactly-once). */
  id?: string;
}

/** You are typing in this room. Say it again every few seconds while it is so. */
export interface Typing {
  /** The room's name. */
  room: string;
}

/** You have read everything up to `seq`. Never goes backwards. */
export interface MarkRead {
  /** The room's name. */
  room: string;
  /** The last entry that was read. */
  seq: number;
}

/** Basic profile: leave the room you are in and enter another. A name of no room makes a public one. */
export interface ChangeRoom {
  /** The room to be in. */
  name: string;
}

/** A message. The sender's own is its acknowledgement: it is on disk. */
export interface NewMessage {
  /** The room's name. */
  room: string;
  /** The entry's number in the room's log. */
  seq: number;
  /** The sender's own id of the message. */
  id: string;
  /** The name of the user who did it. */
  from: string;
  /** The text, as it was typed. */
  message: string;
  /** When it was written to the log, RFC 3339, UTC. */
  sent: string;
  /** The number of the message that this one answers. */
  reply_to?: number;
}

/** The text of message `target` is now `message`. */
export interface MessageEdited {
  /** The room's name. */
  room: string;
  /** The entry's number in the room's log. */
  seq: number;
  /** The number of the message that it is about. */
  target: number;
  /** The name of the user who did it. */
  from: string;
  /** The new text. */
  message: string;
  /** When, RFC 3339, UTC. */
  edited: string;
}

/** Message `target` was taken back. Its text is gone from the log too. */
export interface MessageDeleted {
  /** The room's name. */
  room: string;
  /** The entry's number in the room's log. */
  seq: number;
  /** The number of the message that it is about. */
  target: number;
  /** The name of the user who did it. */
  from: string;
}

/** `from` added an emoji to message `target`, or with `remove` took it back. */
export interface Reacted {
  /** The room's name. */
  room: string;
  /** The entry's number in the room's log. */
  seq: number;
  /** The number of the message that it is about. */
  target: number;
  /** The name of the user who did it. */
  from: string;
  /** The emoji. */
  emoji: string;
  /** Taken back, not added. */
  remove?: boolean;
}

/** `user` is a member from here on; `by` invited, if it was somebody else. */
export interface MemberJoined {
  /** The room's name. */
  room: string;
  /** The entry's number in the room's log. */
  seq: number;
  /** The new member. */
  user: string;
  /** Who invited them; left out: they came by themselves. */
  by?: string;
}

/** `user` is a member no more; `by` removed, if it was somebody else. */
export interface MemberLeft {
  /** The room's name. */
  room: string;
  /** The entry's number in the room's log. */
  seq: number;
  /** Who is a member no more. */
  user: string;
  /** Who removed them; left out: they went by themselves. */
  by?: string;
}

/** The room was made or changed, by `by`. Only what changed is there. */
export interface RoomChanged {
  /** The room's name. */
  room: string;
  /** The entry's number in the room's log. */
  seq: number;
  /** Who did it; left out: the server. */
  by?: string;
  /** This is the room's first entry. */
  made?: boolean;
  /** The room's name before; `room` is the new one. */
  was?: string;
  /** The new kind. */
  kind?: string;
  /** The new topic. */
  topic?: string;
  /** Archived, or opened again. */
  archived?: boolean;
  /** The member whose role changed. */
  member?: string;
  /** That member's new role: `owner` or `member`. */
  role?: string;
}

/** First of all events in the full profile. */
export interface Welcome {
  /** Your own name. */
  user: string;
  /** The name to show. */
  display_name: string;
  /** `owner`, `admin`, `member` or `bot`. */
  role: string;
  /** Every room that you belong to. */
  rooms: RoomSummary[];
  /** The name of what the numbers belong to: of a room's log in `entered`, of the whole database in `welcome`. */
  epoch: string;
  /** What this server allows. */
  limits: Limits;
  /** The server's name and version. */
  server: string;
}

/**
 * You are in the room. `messages`: the last ones as they are now. When resuming, `entries`: each event as it came live;
 * `more` says that there are more than fit: enter again with `after` at the last of them. `reset`: the numbers you hold
 * are of another log; drop them and begin with `messages`.
 */
export interface Entered {
  /** The room's name. */
  room: string;
  /** `public`, `private` or `direct`. */
  kind: string;
  /** The room's topic; may be empty. */
  topic: string;
  /** The number of the room's last entry, when the log was read. */
  head: number;
  /** The name of what the numbers belong to: of a room's log in `entered`, of the whole database in `welcome`. */
  epoch: string;
  /** Names of users here, 500 at most. */
  present: string[];
  /** How many users are here. */
  present_count: number;
  /** How far you have read. */
  read: number;
  /** `head` minus `read`. */
  unread: number;
  /** How many entries after `read` mention you. */
  mentions: number;
  /** Your role in the room: `owner` or `member`. */
  role: string;
  /** There are more entries than fit: enter again with `after` at the last of `entries`. */
  more: boolean;
  /** The room can be read, and no more. */
  archived?: boolean;
  /** What you hold is of another log: drop it and begin with `messages`. */
  reset?: boolean;
  /** There are messages before `messages`: ask for them with `GET /api/rooms/{room}/messages?before=`. */
  earlier?: boolean;
  /** The last messages as they are now, oldest first; not when resuming. */
  messages?: Message[];
  /** When resuming: each entry after `after`, exactly as it came live. */
  entries?: Entry[];
}

/** You are out of the room. */
export interface Exited {
  /** The room's name. */
  room: string;
}

/** You, on one of your connections, have read up to `seq`. To all of a user's connections. */
export interface Read {
  /** The room's name. */
  room: string;
  /** The entry's number in the room's log. */
  seq: number;
  /** `head` minus `read`. */
  unread?: number;
  /** How many entries after `read` mention you. */
  mentions?: number;
}

/** Who came and who went: users, not connections. */
export interface Presence {
  /** The room's name. */
  room: string;
  /** Users who are here now. */
  came: string[];
  /** Users who are here no more. */
  went: string[];
}

/** `user` is typing; it ends by itself after the `typing_seconds` of `welcome`. */
export interface IsTyping {
  /** The room's name. */
  room: string;
  /** The user's name. */
  user: string;
}

/** A room you belong to and are not in has news. */
export interface RoomHead {
  /** The room's name. */
  room: string;
  /** The number of the room's last entry; 0 while there is none. */
  head: number;
  /** How many entries after `read` mention you. */
  mentions: number;
}

/** You fell behind and missed entries `from` to `to`: ask with `enter` and `after`. Nothing live comes before. */
export interface Gap {
  /** The room's name. */
  room: string;
  /** The first entry that you missed. Beyond `to`: you missed no entry, but perhaps who came and went. */
  from: number;
  /** The last of them, so far. */
  to: number;
}

/** A request was refused; the connection stays. `retry`: the same may be tried again. */
export interface Error {
  /** One of the [codes](#errors). */
  code: string;
  /** A sentence for a person. */
  message: string;
  /** The same request may be tried again. */
  retry: boolean;
  /** The field of the payload that is wrong. */
  field?: string;
  /** The room that the request named. */
  room?: string;
  /** The `id` of the request, if it had one. */
  id?: string;
  /** When, in seconds. */
  retry_after?: number;
}

/** A message as it is now: in `entered` and in a page of history. */
export interface Message {
  /** The room's name. */
  room: string;
  /** The entry's number in the room's log. */
  seq: number;
  /** The sender's own id of the message. */
  id: string;
  /** The name of the user who did it. */
  from: string;
  /** The text, as it was typed. */
  message: string;
  /** When it was written to the log, RFC 3339, UTC. */
  sent: string;
  /** The number of the message that this one answers. */
  reply_to?: number;
  /** When it was edited last, RFC 3339, UTC. */
  edited?: string;
  /** The numbers of the entries that edited it. */
  edits?: number[];
  /** It was taken back: `message` is empty. */
  deleted?: boolean;
  /** By emoji: the names of those who reacted, in the order in which they came. */
  reactions?: { [key: string]: string[] };
}

/** A room that you belong to. `unread` is `head` minus `read`; `mentions` of you since `read`. */
export interface RoomSummary {
  /** The room's name. */
  room: string;
  /** Public, private or direct. */
  kind: string;
  /** The number of the room's last entry; 0 while there is none. */
  head: number;
  /** How far you have read. */
  read: number;
  /** `head` minus `read`. */
  unread: number;
  /** How many entries after `read` mention you. */
  mentions: number;
  /** The room's topic; may be empty. */
  topic?: string;
  /** The room can be read, and no more. */
  archived?: boolean;
  /** Of a direct room: everybody in it. */
  members?: string[];
  /** Your role in the room: `owner` or `member`. */
  role?: string;
  /** When its last entry was written, RFC 3339, UTC. */
  active?: string;
}

/** What this server allows; 0 is no limit. */
export interface Limits {
  /** Of one chat message. */
  message_characters: number;
  /** Of one frame, and of one message of several frames. */
  frame_bytes: number;
  /** Of one connection. */
  rooms_entered: number;
  /** In the long run, of one user on all connections. */
  messages_per_second: number;
  /** How many messages may come at once. */
  messages_at_once: number;
  /** After so long, one who was typing and said no more is typing no longer. */
  typing_seconds: number;
}

/** What a client sends. */
export type ClientEvent =
  | { type: 'enter'; ref?: Ref; payload: Enter }
  | { type: 'exit'; ref?: Ref; payload: Exit }
  | { type: 'send_message'; ref?: Ref; payload: SendMessage }
  | { type: 'edit_message'; ref?: Ref; payload: EditMessage }
  | { type: 'delete_message'; ref?: Ref; payload: DeleteMessage }
  | { type: 'react'; ref?: Ref; payload: React }
  | { type: 'typing'; ref?: Ref; payload: Typing }
  | { type: 'mark_read'; ref?: Ref; payload: MarkRead }
  | { type: 'change_room'; ref?: Ref; payload: ChangeRoom };

/** What is in a room's log. */
export type Entry =
  | { type: 'new_message'; ref?: Ref; payload: NewMessage }
  | { type: 'message_edited'; ref?: Ref; payload: MessageEdited }
  | { type: 'message_deleted'; ref?: Ref; payload: MessageDeleted }
  | { type: 'reacted'; ref?: Ref; payload: Reacted }
  | { type: 'member_joined'; ref?: Ref; payload: MemberJoined }
  | { type: 'member_left'; ref?: Ref; payload: MemberLeft }
  | { type: 'room_changed'; ref?: Ref; payload: RoomChanged };

/** What a server sends. */
export type ServerEvent =
  | { type: 'new_message'; ref?: Ref; payload: NewMessage }
  | { type: 'message_edited'; ref?: Ref; payload: MessageEdited }
  | { type: 'message_deleted'; ref?: Ref; payload: MessageDeleted }
  | { type: 'reacted'; ref?: Ref; payload: Reacted }
  | { type: 'member_joined'; ref?: Ref; payload: MemberJoined }
  | { type: 'member_left'; ref?: Ref; payload: MemberLeft }
  | { type: 'room_changed'; ref?: Ref; payload: RoomChanged }
  | { type: 'welcome'; ref?: Ref; payload: Welcome }
  | { type: 'entered'; ref?: Ref; payload: Entered }
  | { type: 'exited'; ref?: Ref; payload: Exited }
  | { type: 'read'; ref?: Ref; payload: Read }
  | { type: 'presence'; ref?: Ref; payload: Presence }
  | { type: 'typing'; ref?: Ref; payload: IsTyping }
  | { type: 'room_head'; ref?: Ref; payload: RoomHead }
  | { type: 'gap'; ref?: Ref; payload: Gap }
  | { type: 'error'; ref?: Ref; payload: Error };

/** Every code of a refusal. */
export type ErrorCode =
  | 'bad_json'
  | 'bad_event'
  | 'unknown_type'
  | 'bad_payload'
  | 'bad_name'
  | 'bad_password'
  | 'empty_message'
  | 'message_too_long'
  | 'bad_text'
  | 'wrong_profile'
  | 'unauthorized'
  | 'wrong_password'
  | 'foreign_origin'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'no_such_room'
  | 'no_such_message'
  | 'no_such_user'
  | 'not_entered'
  | 'name_taken'
  | 'room_archived'
  | 'conflict'
  | 'link_expired'
  | 'request_timeout'
  | 'upgrade_required'
  | 'too_large'
  | 'too_many_rooms'
  | 'rate_limited'
  | 'unavailable'
  | 'overloaded'
  | 'internal';
