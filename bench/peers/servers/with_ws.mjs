// A room chat with ws: a send to each open client, as its README has it under "Server broadcast", with bufferutil, as it says too.
import { randomUUID } from "node:crypto";
import { WebSocket, WebSocketServer } from "ws";

const wss = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]) });
const rooms = new Map();

function roomNamed(name) {
  if (!rooms.has(name)) rooms.set(name, { head: 0, clients: new Set() });
  return rooms.get(name);
}

wss.on("connection", (ws) => {
  const id = randomUUID();
  let room;
  ws.on("error", console.error);
  ws.on("close", () => room?.clients.delete(ws));
  ws.on("message", (data) => {
    const { type, payload } = JSON.parse(data);
    if (type === "enter") {
      room = roomNamed(payload.room);
      room.clients.add(ws);
      ws.send(JSON.stringify({ type: "entered", payload: { room: payload.room, head: room.head } }));
      return;
    }
    const message = { ...payload, seq: ++room.head, from: id, sent: new Date().toISOString() };
    const text = JSON.stringify({ type: "new_message", payload: message });
    for (const client of room.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(text);
    }
  });
});
