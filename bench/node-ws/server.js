// The broadcast of the README of `ws`, with rooms. See ../README.md.
import { WebSocketServer, WebSocket } from "ws";

const rooms = new Map(); // name → Set of sockets
const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });

server.on("connection", (socket, request) => {
  const name = new URL(request.url, "http://localhost").searchParams.get("room");
  const room = rooms.get(name) ?? new Set();
  rooms.set(name, room.add(socket));
  socket.on("error", console.error);
  socket.on("close", () => room.delete(socket));
  socket.on("message", (data, isBinary) => {
    for (const client of room) {
      if (client.readyState === WebSocket.OPEN) client.send(data, { binary: isBinary });
    }
  });
  socket.send('{"op":"ok"}');
});
server.on("listening", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
