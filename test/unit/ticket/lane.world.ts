import type { Outcome } from "../../../src/egress/outcome";
import type { EventKind } from "../../../src/model/event";
import { TicketImage } from "../../../src/ticket/cache";
import { nextStep, type Lane } from "../../../src/ticket/lane";
import { conclude, type DeliveryPolicy, type Trial, type Verdict } from "../../../src/ticket/retry";
import type { MessageRow } from "../../../src/ticket/schema";
import type { TicketStore } from "../../../src/ticket/store";
import { LANES, type LaneName } from "../../../src/model/timeline";
import { MemoryRows } from "./lane.rows";

/**
 * A ticket without its runtime: the image, the lane machine and the schedule of src as ticket.ts drives them, over rows
 * that outlive a crash. Nothing is decided here; what is right is said by lane.reference.ts.
 */

type Flight = { message: MessageRow; trial: Trial; startedAtMs: number };

const FACTS = { deskId: "desk", channel: "whatsapp", contactId: "c", customerName: "n" };

/** Of what a desk is told when a reply dies. */
export const REPORT_BYTES = 50;

export class World {
  nowMs = Date.UTC(2026, 0, 1);
  policy: DeliveryPolicy = { maxAgeSeconds: 60, whenExhausted: "advance" };
  notifyFailures = false;
  readonly #store: TicketStore;
  // What a crash takes away.
  #image: TicketImage;
  #flights: Partial<Record<LaneName, Flight>> = {};

  constructor(store: TicketStore = new MemoryRows() as Partial<TicketStore> as TicketStore) {
    this.#store = store;
    this.#image = new TicketImage(store);
    this.#image.open("owner", "ticket", FACTS);
  }

  get state() {
    return this.#image.ticket?.state;
  }

  lane(lane: LaneName): Lane {
    return this.#image.lane(lane);
  }

  /** The lane as its rows tell it. */
  rebuilt(lane: LaneName): Lane {
    return this.#store.readLane(lane);
  }

  /** The sequence of the new message, or of the Close that this one repeats; undefined when refused. */
  accept(lane: LaneName, kind: EventKind, bytes: number): number | undefined {
    const { ticket } = this.#image;
    if (kind === "command" && ticket?.closeSequence) return ticket.closeSequence;
    if (kind === "outgoing" && ticket?.state !== "open") return undefined;
    const about = { suspectedDuplicate: false, idempotencyKey: undefined };
    const message = { lane, kind, event: "x".repeat(bytes), bytes, ...about };
    return this.#image.accept(message, FACTS, this.nowMs).sequence;
  }

  /** Starts the attempt that is due, if one is, and gives its sequence. */
  start(lane: LaneName): number | undefined {
    const step = nextStep(this.lane(lane), this.nowMs);
    if (step.do !== "deliver") return undefined;
    const { sequence } = step;
    const message = this.#store.readMessage(lane, sequence);
    if (!message) throw new Error("a waiting message has no row");
    const known = sequence <= this.lane(lane).frontier ? this.#store.readTrial(lane, sequence) : undefined;
    const round = { roundStartedAtMs: message.acceptedAtMs, roundTries: 0 };
    this.#flights[lane] = {
      message,
      trial: known ?? { attempts: [], attemptCount: 0, ...round },
      startedAtMs: this.nowMs,
    };
    this.#image.begin(lane, sequence);
    return sequence;
  }

  /** The attempt in flight ends. */
  end(lane: LaneName, outcome: Outcome, random: number): { verdict: Verdict; attemptCount: number } {
    const flight = this.#flights[lane];
    if (!flight) throw new Error("nothing is in flight");
    const time = { startedAtMs: flight.startedAtMs, nowMs: this.nowMs };
    const { trial, verdict } = conclude(flight.trial, outcome, this.policy, time, random);
    this.#image.settle(flight.message, trial, verdict);
    delete this.#flights[lane];
    if (verdict.state === "dead" && lane === "toDolphins" && this.notifyFailures) {
      const event = { event: "x".repeat(REPORT_BYTES), bytes: REPORT_BYTES };
      const about = { suspectedDuplicate: false, idempotencyKey: undefined };
      this.#image.append({ lane: "toDesk", kind: "failure", ...event, ...about }, this.nowMs);
    }
    return { verdict, attemptCount: trial.attemptCount };
  }

  /** Puts back those dead letters that are wanted, and gives their sequences. */
  replay(isWanted: (lane: LaneName, sequence: number) => boolean): Record<LaneName, number[]> {
    const replayed: Record<LaneName, number[]> = { toDesk: [], toDolphins: [] };
    for (const lane of LANES) {
      const letters = this.#store.readDeadLetters(lane).filter(({ sequence }) => isWanted(lane, sequence));
      const ids = this.#image.replay(lane, (id) => letters.some((letter) => letter.id === id), this.nowMs);
      replayed[lane] = ids.map((id) => letters.find((letter) => letter.id === id)?.sequence ?? 0);
    }
    return replayed;
  }

  /** Delivered messages that are old go. */
  tidy(olderThanMs: number): void {
    for (const lane of LANES) this.#store.deleteDelivered(lane, this.nowMs - olderThanMs, 100);
  }

  /** All memory goes; what was written stays. */
  crash(): void {
    this.#flights = {};
    this.#image = new TicketImage(this.#store);
    this.#image.load();
  }
}
