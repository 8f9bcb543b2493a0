/**
 * The yardstick of the benchmark: the least Worker that takes a message, keeps it and delivers it in order. One durable
 * insert before the answer, one request per message, one after another, one row settled behind it. It validates nothing,
 * knows no tenant, signs nothing, never tries again, and after a crash somebody has to wake it.
 */
import { DurableObject } from "cloudflare:workers";

interface YardstickEnv {
  TICKET: DurableObjectNamespace<Ticket>;
  DESK: string;
}

export class Ticket extends DurableObject<YardstickEnv> {
  #isDraining = false;
  #delivered = 0;

  constructor(ctx: DurableObjectState, env: YardstickEnv) {
    super(ctx, env);
    ctx.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS message (sequence INTEGER PRIMARY KEY, body TEXT, isDelivered INTEGER)",
    );
    const newest = "SELECT sequence FROM message WHERE isDelivered = 1 ORDER BY sequence DESC LIMIT 1";
    for (const { sequence } of ctx.storage.sql.exec<{ sequence: number }>(newest)) this.#delivered = sequence;
  }

  accept(body: string): void {
    this.ctx.storage.sql.exec("INSERT INTO message (body, isDelivered) VALUES (?, 0)", body);
    if (!this.#isDraining) this.ctx.waitUntil(this.#drain());
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    const { sql } = this.ctx.storage;
    for (;;) {
      const [next] = sql
        .exec<{ sequence: number; body: string }>(
          "SELECT sequence, body FROM message WHERE sequence > ? ORDER BY sequence LIMIT 1",
          this.#delivered,
        )
        .toArray();
      if (!next) break;
      const headers = { "content-type": "application/json" };
      const answer = await fetch(this.env.DESK, { method: "POST", headers, body: next.body });
      await answer.text();
      this.#delivered = next.sequence;
      sql.exec("UPDATE message SET isDelivered = 1 WHERE sequence = ?", next.sequence);
    }
    this.#isDraining = false;
  }
}

export default {
  async fetch(request, env) {
    const body = await request.text();
    const { ticketNumber } = JSON.parse(body) as { ticketNumber: string };
    await env.TICKET.getByName(ticketNumber).accept(body);
    return Response.json({ status: "success" });
  },
} satisfies ExportedHandler<YardstickEnv>;
