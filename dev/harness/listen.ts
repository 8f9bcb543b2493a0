import { once } from "node:events";
import type { Server } from "node:http";

/** Has a server listen on 127.0.0.1, on a free port when none is given. `close` ends the connections too. */
export async function listen(server: Server, port = 0): Promise<{ url: string; close: () => Promise<void> }> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  const close = () =>
    new Promise<void>((fulfil) => {
      server.close(() => fulfil());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${address.port}`, close };
}
