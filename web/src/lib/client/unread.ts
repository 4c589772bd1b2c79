// What is unread in a room, and how many mentions: exact where the entries are known, the server's count elsewhere.
//
// The server counts entries: one's own, reactions and joins among them. People count messages of others. So the numbers
// of those are kept for the part of the log that this client has seen (`from` to `to`), and only what is before it or
// after it counts by entries.

const MOST_KEPT = 2_000;

export interface Counter {
  /** The last entry's number. */
  readonly head: number;
  /** How far was read. */
  readonly read: number;
  /** The entries from here … */
  readonly from: number;
  /** … to here are known. */
  readonly to: number;
  /** Of these: messages of others. */
  readonly loud: readonly number[];
  /** Of these: messages of others that mention the user. */
  readonly mentioning: readonly number[];
  /** The server's count of mentions in what is unread and not known here. */
  readonly unknownMentions: number;
}

/** An entry, as far as counting goes. */
export interface Counted {
  seq: number;
  /** A message of somebody else. */
  loud: boolean;
  mentions: boolean;
  /** The message that this entry takes back. */
  deletes: number | null;
}

/** What the server says of a room of which no entry is known. */
export function counterOf(head: number, read: number, mentions: number): Counter {
  return { head, read, from: head + 1, to: head, loud: [], mentioning: [], unknownMentions: mentions };
}

/** After a page that reaches the end: everything from `from` to `head` is known. */
export function pageKnown(read: number, mentions: number, from: number, head: number, counted: readonly Counted[]): Counter {
  const kept = counted.filter((entry) => entry.seq > read);
  const mentioning = numbers(kept.filter((entry) => entry.mentions));
  return {
    head,
    read,
    from,
    to: head,
    loud: numbers(kept.filter((entry) => entry.loud)),
    mentioning,
    unknownMentions: Math.max(0, mentions - mentioning.length),
  };
}

/** The next entries, in order, after what is known. */
export function entriesCame(counter: Counter, entries: readonly Counted[]): Counter {
  let { from, to, head, read } = counter;
  let loud = [...counter.loud];
  let mentioning = [...counter.mentioning];
  for (const entry of entries) {
    if (entry.seq <= to) continue;
    if (entry.seq > to + 1) from = entry.seq; // only if somebody lost count: better to know less
    to = entry.seq;
    head = Math.max(head, to);
    if (entry.deletes !== null) {
      loud = loud.filter((seq) => seq !== entry.deletes);
      mentioning = mentioning.filter((seq) => seq !== entry.deletes);
    }
    if (entry.seq <= read) continue;
    if (entry.loud) loud.push(entry.seq);
    if (entry.mentions) mentioning.push(entry.seq);
  }
  if (loud.length > MOST_KEPT) from = Math.max(from, loud.at(-MOST_KEPT) ?? from);
  read = settled(from, to, loud, read);
  const isKept = (seq: number) => seq >= from && seq > read;
  return { ...counter, from, to, head, loud: loud.filter(isKept), mentioning: mentioning.filter((seq) => seq > read), read };
}

/** The server says that the room has got further, but not how. `mentions` is all there are after `read`. */
export function headMoved(counter: Counter, head: number, mentions: number): Counter {
  if (head < counter.head) return counter;
  return { ...counter, head: Math.max(counter.head, head), unknownMentions: Math.max(0, mentions - counter.mentioning.length) };
}

/** The server has counted, at `head`, what mentions the user after `read`. */
export function serverCounted(counter: Counter, head: number, read: number, mentions: number): Counter {
  const known = counter.mentioning.filter((seq) => seq <= head && seq > read).length;
  // What was read here meanwhile is not among them: that has no mention for people.
  const unknownMentions = counter.read > read ? 0 : Math.max(0, mentions - known);
  return { ...counter, head: Math.max(counter.head, head), unknownMentions };
}

/** It was read up to `seq`; never goes back. `mentions`: the server's count after it, null: this client's own doing. */
export function readUpTo(counter: Counter, seq: number, mentions: number | null): Counter {
  const reached = Math.max(counter.read, seq);
  const read = settled(counter.from, counter.to, counter.loud, reached);
  const mentioning = counter.mentioning.filter((number) => number > read);
  let unknownMentions = counter.unknownMentions;
  const allKnown = read >= counter.from - 1 && counter.head <= counter.to;
  if (allKnown || read >= counter.head) unknownMentions = 0;
  else if (mentions !== null && seq >= counter.read) unknownMentions = Math.max(0, mentions - mentioning.length);
  return { ...counter, read, loud: counter.loud.filter((number) => number > read), mentioning, unknownMentions };
}

/** Messages of others after `read`; where the entries are not known, entries. */
export function unreadOf(counter: Counter): number {
  return unsureOf(counter) + counter.loud.filter((seq) => seq > counter.read).length;
}

/** How many entries after `read` are not known. */
export function unsureOf(counter: Counter): number {
  const before = Math.max(0, Math.min(counter.head, counter.from - 1) - counter.read);
  const after = Math.max(0, counter.head - Math.max(counter.to, counter.read));
  return before + after;
}

export function mentionsOf(counter: Counter): number {
  return counter.unknownMentions + counter.mentioning.filter((seq) => seq > counter.read).length;
}

/** The first message of somebody else that is unread: exact if known, else the first unread entry; null: none. */
export function firstUnreadOf(counter: Counter): number | null {
  if (unreadOf(counter) === 0) return null;
  if (counter.read + 1 < counter.from) return counter.read + 1;
  return counter.loud.find((seq) => seq > counter.read) ?? Math.max(counter.to, counter.read) + 1;
}

/** One's own entries and those that are no messages are read as soon as all before them is: nobody has to look at them. */
function settled(from: number, to: number, loud: readonly number[], read: number): number {
  if (read < from - 1 || read >= to) return read;
  const next = loud.find((seq) => seq > read);
  return next === undefined ? to : next - 1;
}

function numbers(counted: readonly Counted[]): number[] {
  return counted.map((entry) => entry.seq);
}
