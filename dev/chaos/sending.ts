import { setTimeout as pause } from "node:timers/promises";
import { closeEvent, incomingEvent, outgoingEvent, text } from "../demo/events.ts";
import { type LaneKey, type LaneName, type Ticket, closeLabel, laneKey } from "./lanes.ts";
import type { KillPoints } from "./kill-points.ts";
import type { Scenario, Tenant } from "./scenario.ts";

/**
 * What a sender knows of one message: the relay answered 200 (`accepted`), answered that it did not take it (`refused`, or
 * `fenced` for a reply after Close), or the answer was lost (`unknown`: it may be delivered or not).
 */
export type Sent = {
  lane: LaneKey;
  label: string;
  state: "accepted" | "unknown" | "refused" | "fenced";
  id: string;
  sequence: number;
  /** Such as `503 unavailable`; empty unless refused. */
  code: string;
};

/** A request that has no answer by now is taken for lost. */
const ANSWER_TIMEOUT_MS = 30_000;
/** Before anything else is sent after that. */
const LOST_ANSWER_MS = 50;

type Answer = { status: number; code: string; id: string; sequence: number };

/** Sends the messages of one ticket and keeps account of them, in the order of sending. */
export class Sender {
  readonly sent: Sent[] = [];
  requests = 0;
  readonly #scenario: Scenario;
  readonly #killPoints: KillPoints;
  readonly #tenant: Tenant;
  readonly ticket: Ticket;
  readonly #counts: Record<LaneName | "key", number> = { toDesk: 0, toDolphins: 0, key: 0 };

  constructor(scenario: Scenario, killPoints: KillPoints, tenant: Tenant, ticketNumber: string) {
    this.#scenario = scenario;
    this.#killPoints = killPoints;
    this.#tenant = tenant;
    this.ticket = { owner: tenant.owner, ticketNumber };
  }

  /** The customer writes. 3Dolphins sends each message once: with no answer it goes on with the next. */
  async incoming(): Promise<Sent> {
    const label = this.#nextLabel("toDesk");
    const event = { ...incomingEvent(this.ticket.owner, text(label)), ...this.ticket };
    return this.#account(
      "toDesk",
      label,
      await this.#post(`/v1/dolphins/${this.#scenario.ingressKey}/incoming`, event),
    );
  }

  /** The agent answers. A desk that gets no answer sends it again under the same key, until there is one. */
  async reply(): Promise<Sent> {
    const label = this.#nextLabel("toDolphins");
    const event = { ...outgoingEvent(this.ticket.owner, text(label)), ...this.ticket };
    return this.#account("toDolphins", label, await this.#postUntilAnswered("/v1/outgoing", event));
  }

  async close(): Promise<Sent> {
    const event = { ...closeEvent(this.ticket.owner), ...this.ticket };
    const answer = await this.#postUntilAnswered("/v1/command", event);
    await this.#killPoints.reached("closed");
    return this.#account("toDolphins", closeLabel(this.ticket, answer.sequence), answer);
  }

  #nextLabel(lane: LaneName): string {
    this.#counts[lane] += 1;
    return `${this.ticket.owner} ${this.ticket.ticketNumber} ${lane} ${this.#counts[lane]}`;
  }

  #account(lane: LaneName, label: string, answer: Answer | undefined): Sent {
    const { id = "", sequence = 0, status, code = "" } = answer ?? {};
    const message: Sent = { lane: laneKey(this.ticket, lane), label, id, sequence, code, state: "refused" };
    if (status === undefined) message.state = "unknown";
    if (status === 200) message.state = "accepted";
    if (status === 409) message.state = "fenced";
    this.sent.push(message);
    return message;
  }

  async #postUntilAnswered(path: string, event: object): Promise<Answer> {
    this.#counts.key += 1;
    const headers = {
      authorization: `Bearer ${this.#tenant.deskToken}`,
      "idempotency-key": `${this.ticket.ticketNumber} ${this.#counts.key}`,
    };
    for (;;) {
      const answer = await this.#post(path, event, headers);
      if (answer !== undefined) return answer;
    }
  }

  /** Undefined when no whole answer came. */
  async #post(path: string, event: object, headers: Record<string, string> = {}): Promise<Answer | undefined> {
    const url = (await this.#scenario.relayUrl()) + path;
    this.requests += 1;
    try {
      const asked = fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(event),
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      const [response] = await Promise.all([asked, this.#killPoints.reached("asked")]);
      const body = await response.text();
      if (response.status === 200) await this.#killPoints.reached("accepted");
      return {
        status: response.status,
        code:
          response.status === 200 ? "" : `${response.status} ${/"code":"(\w+)"/.exec(body)?.[1] ?? body.slice(0, 100)}`,
        id: response.headers.get("relay-message-id") ?? "",
        sequence: Number(response.headers.get("relay-sequence")),
      };
    } catch {
      await pause(LOST_ANSWER_MS);
      return undefined;
    }
  }
}
