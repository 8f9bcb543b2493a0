import type { LiveEvent } from "../model/answers";

/** Whoever watches comes back with a credential that is still good: a signed-out browser does not listen for longer. */
const WATCH_MS = 10 * 60_000;

type Watcher = { sinceMs: number };

/** Those who watch a tenant live, over WebSockets that outlast the object's stay in memory. */
export class Watchers {
  readonly #ctx: DurableObjectState;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
    // Answered by the runtime: whoever wants to know whether the line still stands does not wake the object.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  /** The answer to an upgrade. */
  async admit(nowMs: number): Promise<Response> {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server);
    server.serializeAttachment({ sinceMs: nowMs } satisfies Watcher);
    if ((await this.#ctx.storage.getAlarm()) === null) await this.#ctx.storage.setAlarm(nowMs + WATCH_MS);
    return new Response(null, { status: 101, webSocket: client });
  }

  tell(event: () => LiveEvent): void {
    const sockets = this.#ctx.getWebSockets();
    if (sockets.length === 0) return;
    const text = JSON.stringify(event());
    for (const socket of sockets) {
      // One that is closing is in the list for a while yet, and sending to it throws.
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    }
  }

  /** Sends away those who have watched long enough, and comes back for the next. */
  async dismiss(nowMs: number): Promise<void> {
    const left: number[] = [];
    for (const socket of this.#ctx.getWebSockets()) {
      const { sinceMs } = socket.deserializeAttachment() as Watcher;
      if (sinceMs + WATCH_MS <= nowMs) socket.close(1000, "reconnect");
      else left.push(sinceMs);
    }
    if (left.length > 0) await this.#ctx.storage.setAlarm(Math.min(...left) + WATCH_MS);
  }
}
