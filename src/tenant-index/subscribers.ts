import { isRecent } from "../lib/clock";
import type { LiveEvent } from "../model/answers";

/** Whoever subscribes has to come again with a credential that is still good: who has signed out listens no longer than this. */
const SUBSCRIPTION_MS = 10 * 60_000;

type Subscription = { sinceMs: number };

/** Those who see a tenant live, over WebSockets that outlast the object's stay in memory. */
export class Subscribers {
  readonly #ctx: DurableObjectState;
  readonly #ensureAlarm: (atMs: number) => Promise<void>;

  constructor(ctx: DurableObjectState, ensureAlarm: (atMs: number) => Promise<void>) {
    this.#ctx = ctx;
    this.#ensureAlarm = ensureAlarm;
    // The runtime answers this itself: a client that asks whether the line still stands does not wake the object.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  /** The answer to an upgrade. */
  async subscribe(nowMs: number): Promise<Response> {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server);
    server.serializeAttachment({ sinceMs: nowMs } satisfies Subscription);
    await this.#ensureAlarm(nowMs + SUBSCRIPTION_MS);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** The event is made only when there is a subscriber. */
  publish(event: () => LiveEvent): void {
    const sockets = this.#ctx.getWebSockets();
    if (sockets.length === 0) return;
    const text = JSON.stringify(event());
    for (const socket of sockets) {
      // One that is closing is in the list for a while yet, and sending to it throws.
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    }
  }

  /** Closes the sockets whose time is over, and says when that of the next is. */
  closeExpired(nowMs: number): number {
    const left: number[] = [];
    for (const socket of this.#ctx.getWebSockets()) {
      const { sinceMs } = socket.deserializeAttachment() as Subscription;
      if (isRecent(sinceMs, nowMs, SUBSCRIPTION_MS)) left.push(sinceMs);
      else socket.close(1000, "reconnect");
    }
    return Math.min(...left, Number.POSITIVE_INFINITY) + SUBSCRIPTION_MS;
  }
}
