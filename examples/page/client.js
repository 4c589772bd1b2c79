// A client that misses nothing and says nothing twice. `RoomCopy` does no I/O itself; `keep` stays connected.

// One room as we hold it, and what we said that is not on the server's disk yet.
export class RoomCopy {
  constructor(room, show) {
    Object.assign(this, { room, show, user: "", live: false });
    this.held = {}; // `after`, the number of the last entry that we hold, and the `epoch` it belongs to
    this.outbox = new Map(); // messages, by our own id
  }

  // Say something: now, or once we are in the room again.
  say(message) {
    const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.outbox.set(id, message);
    return this.live ? [this.message(id)] : [];
  }

  // Take an event from the server. Returns what to send.
  take(type, payload) {
    if (type === "welcome") this.user = payload.user;
    if (type === "welcome" || type === "gap") return [this.enter()];
    if (type === "entered") return this.entered(payload);
    if (type === "error") return this.refused(payload);
    // Entries have a number; of a type that we don't know, too.
    return "seq" in payload && type !== "read" ? this.entry(type, payload) : [];
  }

  enter() {
    this.live = false;
    return { type: "enter", payload: { room: this.room, ...this.held } };
  }

  message(id) {
    return { type: "send_message", payload: { room: this.room, id, message: this.outbox.get(id) } };
  }

  entered(payload) {
    this.room = payload.room;
    if (payload.messages) { // the first time, or what we held was of another log
      this.held = { after: payload.head, epoch: payload.epoch };
      payload.messages.forEach((message) => this.acknowledge(message));
      this.show("messages", payload);
    }
    for (const entry of payload.entries ?? []) this.entry(entry.type, entry.payload);
    if (payload.more) return [this.enter()];
    this.live = true;
    return [...this.outbox.keys()].map((id) => this.message(id));
  }

  entry(type, payload) {
    if (type === "new_message") this.acknowledge(payload);
    if (payload.seq <= this.held.after) return []; // we have it
    if (payload.seq > this.held.after + 1) return [this.enter()]; // something is missing
    this.held.after = payload.seq;
    this.room = payload.room; // it may have been renamed
    this.show(type, payload);
    return [];
  }

  acknowledge(message) {
    if (message.from === this.user) this.outbox.delete(message.id);
  }

  refused(payload) {
    if (payload.retry) return [this.outbox.has(payload.id) ? this.message(payload.id) : this.enter()];
    this.outbox.delete(payload.id);
    this.show("error", payload);
    return [];
  }
}

// Connect, and come back whenever the connection is lost. Returns a function that says something.
export function keep(room, onLogin) {
  let socket = null;
  let tries = 0;
  const send = (events) => events.forEach((event) => socket?.readyState === WebSocket.OPEN && socket.send(JSON.stringify(event)));

  async function open() {
    const answer = await fetch("/ticket", { method: "POST" }).catch(() => null);
    if (answer?.status === 401) return onLogin();
    if (!answer?.ok) return later(answer?.headers.get("Retry-After"));
    const { otp } = await answer.json();
    socket = new WebSocket(location.origin.replace("http", "ws") + "/ws", ["hubbub.v1", `ticket.${otp}`]);
    socket.onmessage = (frame) => {
      const { type, payload } = JSON.parse(frame.data);
      tries = 0;
      const answers = room.take(type, payload);
      setTimeout(send, 1000 * (payload.retry_after ?? 0), answers);
    };
    socket.onclose = ({ code, reason }) => {
      room.live = false;
      if (code >= 4400 && code < 4500) return onLogin(); // don't come back by yourself
      later(/retry after ([\d.]+)/.exec(reason)?.[1]);
    };
  }

  function later(seconds) {
    tries += 1;
    setTimeout(open, 1000 * (Number(seconds) || Math.random() * Math.min(30, 2 ** (tries - 1)))); // not all at once
  }

  open();
  return (message) => send(room.say(message));
}
