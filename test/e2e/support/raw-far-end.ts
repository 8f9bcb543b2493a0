import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** What a far end writes to its socket, to the letter, and what it does then. */
export type RawAnswer = {
  bytes: string | Uint8Array;
  /** `reset` breaks the connection off, `hold` leaves it open with nothing more to come. */
  after?: "end" | "reset" | "hold";
};

export type RawFarEnd = { url: string; requests: string[]; close: () => void };

/**
 * A far end below HTTP. It answers each connection's one request: once that is whole, or where `early` is set as soon as any of it has come, with the rest left unread.
 */
export async function startRawFarEnd(
  answerTo: (request: string) => RawAnswer,
  { early = false } = {},
): Promise<RawFarEnd> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    let request = "";
    const read = (chunk: Buffer): void => {
      request += chunk.toString("latin1");
      if (!early && !isWhole(request)) return;
      socket.off("data", read).pause();
      requests.push(request);
      const { bytes, after = "end" } = answerTo(Buffer.from(request, "latin1").toString());
      // Where both come at once, the runtime may see the end before it has handed on the answer.
      const leave = { end: () => socket.end(), reset: () => socket.resetAndDestroy(), hold: () => undefined }[after];
      socket.write(bytes, () => setImmediate(leave));
    };
    socket.on("data", read);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    requests,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function isWhole(request: string): boolean {
  const [head = "", ...rest] = request.split("\r\n\r\n");
  const length = /content-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return rest.join("\r\n\r\n").length >= Number(length);
  return rest.length > 0 && (!/transfer-encoding/i.test(head) || request.endsWith("0\r\n\r\n"));
}
