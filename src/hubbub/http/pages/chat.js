"use strict";
// A plain page for one room at a time, over the full profile. Text is set as text, never as markup.

const $ = (id) => document.getElementById(id);
const unsent = new Map(); // own id -> {room, message}, until the server's echo says that it is on disk
const lines = new Map(); // seq -> list item, of the room that is open
const state = { socket: null, room: "general", epoch: null, last: null, tries: 0, timer: null, joined: false };

class LoggedOut extends Error {}

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", body: body === undefined ? undefined : JSON.stringify(body) });
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const no = await answer.json().catch(() => ({}));
  const error = answer.status === 401 ? new LoggedOut(no.message) : new Error(no.message || "The server can't do this right now.");
  error.wait = no.retry_after;
  throw error;
}

function show(loggedIn) {
  $("in").hidden = !loggedIn;
  $("out").hidden = loggedIn;
  (loggedIn ? $("text") : $("username")).focus();
}

async function connect(ticket) {
  clearTimeout(state.timer);
  try {
    open(ticket || (await post("/ticket")).otp);
  } catch (error) {
    if (error instanceof LoggedOut) leave("");
    else again(error.wait);
  }
}

function open(ticket) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}/ws`, ["hubbub.v1", `ticket.${ticket}`]);
  state.socket = socket;
  socket.onmessage = (frame) => heard(JSON.parse(frame.data));
  socket.onclose = (close) => {
    if (state.socket !== socket) return;
    state.joined = false;
    if (close.code >= 4400 && close.code < 4500) leave(close.code === 4401 ? "You have been logged out." : close.reason);
    else again(parseFloat((/retry after ([\d.]+)/.exec(close.reason) || [])[1]));
  };
}

function again(seconds) {
  // Longer each time and never all at once: after a restart everybody comes back.
  const wait = seconds || Math.min(30, 2 ** state.tries) * Math.random();
  state.tries += 1;
  $("status").textContent = "Connecting…";
  state.timer = setTimeout(connect, wait * 1000);
}

function leave(why) {
  clearTimeout(state.timer);
  const socket = state.socket;
  Object.assign(state, { socket: null, epoch: null, last: null, joined: false });
  if (socket) socket.close();
  unsent.clear();
  clear();
  $("login-error").textContent = why;
  show(false);
}

function send(type, payload) {
  if (state.socket && state.socket.readyState === WebSocket.OPEN) state.socket.send(JSON.stringify({ type, payload }));
}

function enter(room) {
  // With what was seen last, so that nothing in between is missed.
  const resume = room === state.room && state.last !== null;
  send("enter", resume ? { room, after: state.last, epoch: state.epoch } : { room });
}

const events = {
  welcome(payload) {
    state.tries = 0;
    show(true);
    $("rooms").replaceChildren(...payload.rooms.map((room) => new Option(room.room, room.room)));
    enter(state.room);
  },
  entered(payload) {
    if (payload.room !== state.room && state.joined) send("exit", { room: state.room });
    if (payload.messages) {
      state.last = null;
      clear();
      payload.messages.forEach(put);
    }
    (payload.entries || []).forEach(heard);
    Object.assign(state, { room: payload.room, epoch: payload.epoch });
    if (payload.more) return enter(payload.room);
    Object.assign(state, { last: Math.max(payload.head, state.last || 0), joined: true });
    $("room").value = payload.room;
    $("status").textContent = `${payload.room} · ${payload.present_count} here`;
    document.title = `${payload.room} · Hubbub`;
    for (const [id, { room, message }] of unsent) {
      if (room === payload.room) send("send_message", { room, id, message });
    }
    if (state.last) send("mark_read", { room: payload.room, seq: state.last });
  },
  new_message: (payload) => put(payload),
  message_edited: (payload) => change(payload.target, (line) => (line.querySelector(".text").textContent = payload.message)),
  message_deleted: (payload) => change(payload.target, takeBack),
  room_changed(payload) {
    if (payload.was !== state.room) return;
    state.room = payload.room;
    $("room").value = payload.room;
  },
  gap: () => enter(state.room),
  error(payload) {
    if (payload.id && !payload.retry) {
      const lost = unsent.get(payload.id);
      unsent.delete(payload.id);
      if (lost && !$("text").value) $("text").value = lost.message;
    } else if (payload.id) {
      const { room, message } = unsent.get(payload.id) || {};
      if (room) setTimeout(() => send("send_message", { room, id: payload.id, message }), 1000 * (payload.retry_after || 1));
    }
    $("error").textContent = payload.message;
  },
};

function heard({ type, payload }) {
  const event = Object.hasOwn(events, type) ? events[type] : null;
  if (payload.seq && (payload.room === state.room || payload.was === state.room)) {
    if (event && payload.seq > (state.last || 0)) event(payload);
    state.last = Math.max(state.last || 0, payload.seq);
  } else if (event && !payload.seq) event(payload);
}

function put(message) {
  unsent.delete(message.id);
  if (lines.has(message.seq)) return;
  const line = document.createElement("li");
  const [from, text, time] = ["from", "text", "time"].map((name) => {
    const part = document.createElement("span");
    part.className = name;
    return part;
  });
  from.textContent = message.from;
  text.textContent = message.message;
  time.textContent = new Date(message.sent).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  line.append(from, text, time);
  if (message.deleted) takeBack(line);
  const list = $("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  list.append(line);
  lines.set(message.seq, line);
  state.last = Math.max(state.last || 0, message.seq);
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function change(seq, how) {
  if (lines.has(seq)) how(lines.get(seq));
}

function takeBack(line) {
  line.classList.add("gone");
  line.querySelector(".text").textContent = "(taken back)";
}

function clear() {
  lines.clear();
  $("messages").replaceChildren();
}

$("login").onsubmit = async (event) => {
  event.preventDefault();
  $("login-error").textContent = "";
  try {
    const { otp } = await post("/login", { username: $("username").value, password: $("password").value });
    $("password").value = "";
    connect(otp);
  } catch (error) {
    $("login-error").textContent = error.wait ? `${error.message} (${Math.ceil(error.wait)} s)` : error.message;
  }
};

$("go").onsubmit = (event) => {
  event.preventDefault();
  $("error").textContent = "";
  enter($("room").value.trim());
  $("text").focus();
};

$("say").onsubmit = (event) => {
  event.preventDefault();
  const message = $("text").value;
  if (!message.trim()) return;
  $("error").textContent = "";
  const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  unsent.set(id, { room: state.room, message });
  if (state.joined) send("send_message", { room: state.room, id, message });
  $("text").value = "";
};

$("logout").onclick = async () => {
  await post("/logout").catch(() => null);
  leave("");
};

connect();
