import { isRecent } from "../lib/clock";
import type { LiveEvent } from "../model/answers";
import type { TaskAlarm } from "./task-alarm";

/** Whoever subscribes has to come again with a credential that is still good: who has signed out listens no longer than this. */
const SUBSCRIPTION_MS = 10 * 60_000;

type Subscription = { sinceMs: number };

/** Those who see a tenant live, over WebSockets that outlast the object's stay in memory. */
export class Subscribers {
  readonly #ctx: DurableObjectState;
  readonly #alarm: Pick<TaskAlarm, "ensure">;

  constructor(ctx: DurableObjectState, alarm: Pick<TaskAlarm, "ensure">) {
    this.#ctx = ctx;
    this.#alarm = alarm;
    // The runtime answers this itself: a client that asks whether the line still stands does not wake the object.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  /** The answer to an upgrade. */
  async subscribe(nowMs: number): Promise<Response> {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server);
    server.serializeAttachment({ sinceMs: nowMs } satisfies Subscription);
    await this.#alarm.ensure(nowMs + SUBSCRIPTION_MS);
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

  /** There is nothing to see any more. */
  closeAll(): void {
    for (const socket of this.#ctx.getWebSockets()) socket.close(1000, "gone");
  }

  /** Closes the sockets whose time is over, and says when that of the next is, epoch ms. */
  closeExpired(nowMs: number): number {
    const left: number[] = [];
    for (const socket of this.#ctx.getWebSockets()) {
      const { sinceMs } = socket.deserializeAttachment() as Subscription;
      if (isRecent(sinceMs, nowMs, SUBSCRIPTION_MS)) left.push(sinceMs);
      else socket.close(1000, "reconnect");
    }
    return Math.min(...left) + SUBSCRIPTION_MS;
  }
}
