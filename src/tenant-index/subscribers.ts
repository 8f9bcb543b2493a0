import { isRecent } from "../lib/clock";
import type { LiveEvent } from "../model/answers";

/** Whoever subscribes has to come again with a credential that is still good. The end of a session ends its sockets by itself. */
const SUBSCRIPTION_MS = 10 * 60_000;
/** Each of them costs a message for whatever happens in the tenant. */
const MOST_SUBSCRIBERS = 50;

/** RFC 6455, 7.4.1. */
const POLICY_VIOLATION = 1008;

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

  /** The answer to an upgrade: for whoever has a console session, until that ends. 429 where no more may subscribe. */
  async subscribe(nowMs: number, session: string | undefined): Promise<Response> {
    if (this.#open().length >= MOST_SUBSCRIBERS) return new Response(null, { status: 429 });
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, session === undefined ? [] : [session]);
    server.serializeAttachment({ sinceMs: nowMs } satisfies Subscription);
    await this.#ensureAlarm(nowMs + SUBSCRIPTION_MS);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** The event is made only when there is a subscriber. */
  publish(event: () => LiveEvent): void {
    const sockets = this.#open();
    if (sockets.length === 0) return;
    const text = JSON.stringify(event());
    for (const socket of sockets) socket.send(text);
  }

  /** Closes the sockets of a console session that is over. */
  end(session: string): void {
    for (const socket of this.#ctx.getWebSockets(session)) socket.close(POLICY_VIOLATION, "signed out");
  }

  /** There is nothing to see any more. */
  closeAll(): void {
    for (const socket of this.#ctx.getWebSockets()) socket.close(1000, "gone");
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

  /** One that is closing is in the runtime's list for a while yet, and sending to it throws. */
  #open = (): WebSocket[] => this.#ctx.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN);
}
