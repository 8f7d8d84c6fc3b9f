// Bun.serve with its own publish and subscribe, over TLS if a certificate and its key are named. See ../README.md.
const [cert, key] = process.argv.slice(2).map((file) => Bun.file(file));
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  tls: cert && { cert, key },
  fetch(request, server) {
    const room = new URL(request.url).searchParams.get("room");
    if (server.upgrade(request, { data: { room } })) return;
    return new Response("a WebSocket is wanted", { status: 426 });
  },
  websocket: {
    open(socket) {
      socket.subscribe(socket.data.room);
      socket.send('{"op":"ok"}');
    },
    message(socket, message) {
      server.publish(socket.data.room, message);
    },
  },
});
console.log(`listening on ${cert ? "https" : "http"}://127.0.0.1:${server.port}`);
