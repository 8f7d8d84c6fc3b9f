// The broadcast of the README of `ws`, with rooms, over TLS if a certificate and its key are named. See ../README.md.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { WebSocketServer, WebSocket } from "ws";

const [cert, key] = process.argv.slice(2).map((file) => readFileSync(file));
const http = cert ? createSecureServer({ cert, key }) : createServer();
const rooms = new Map(); // name → Set of sockets
const server = new WebSocketServer({ server: http });

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
const scheme = cert ? "https" : "http";
http.listen(0, "127.0.0.1", () => console.log(`listening on ${scheme}://127.0.0.1:${http.address().port}`));
