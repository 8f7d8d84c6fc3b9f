// balancer.js: one address in front of several servers, as a balancer has. Each connection goes to the server that is
// named at that moment, and ends with it.
import { connect, createServer } from "node:net";
import { after } from "node:test";

/** @import { Socket } from "node:net" */
/** @import { Server } from "./server.js" */

export class Balancer {
  /** Where new connections go; null: they are cut. @type {Server | null} */
  server = null;
  url = "";
  /** @type {Set<Socket>} */
  #sockets = new Set();
  #listener = createServer((client) => this.#accept(client));

  /** @param {Server} server  @returns {Promise<this>} */
  start(server) {
    this.server = server;
    after(() => this.#end());
    return new Promise((resolve) => {
      this.#listener.listen(0, "127.0.0.1", () => {
        const address = this.#listener.address();
        if (address && typeof address === "object") this.url = `http://127.0.0.1:${address.port}`;
        resolve(this);
      });
    });
  }

  /** Cuts all connections, and those that come, as without a network. */
  cut() {
    this.server = null;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** @param {Socket} client */
  #accept(client) {
    if (!this.server) return client.destroy();
    const server = connect(Number(new URL(this.server.url).port), "127.0.0.1");
    for (const [from, to] of /** @type {const} */ ([
      [client, server],
      [server, client],
    ])) {
      this.#sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  }

  #end() {
    this.#listener.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
