// A room chat with Socket.IO: rooms and emit(), as its page on rooms has them, with bufferutil, as its page on performance says.
import { createServer } from "node:http";
import { Server } from "socket.io";

const server = createServer();
const io = new Server(server);
const heads = new Map();

io.on("connection", (socket) => {
  socket.on("enter", ({ room }) => {
    socket.join(room);
    socket.emit("entered", { room, head: heads.get(room) ?? 0 });
  });
  socket.on("send_message", (message) => {
    const seq = (heads.get(message.room) ?? 0) + 1;
    heads.set(message.room, seq);
    io.to(message.room).emit("new_message", { ...message, seq, from: socket.id, sent: new Date().toISOString() });
  });
});

server.listen(Number(process.argv[2]), "127.0.0.1");
