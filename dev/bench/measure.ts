import { setTimeout as pause } from "node:timers/promises";
import { quantile, type Driven } from "./figures.ts";
import { drive, offer, type Load, type Offer } from "./load.ts";
import type { Sink } from "./sink.ts";
import { OWNERS, startSubject, type Bundles, type Kind, type Medium, type Subject } from "./subject.ts";
import { cpuMs, residentBytes } from "./usage.ts";

/** Alarms that a delivery leaves behind ring within so long: what they cost is part of what a message costs. */
const REST_MS = 9_000;
/** Until the compiler has seen the hot path and the heap has its size. */
const WARM_UP = 6_000;
/** How many send at once where the load itself does not say. */
const SENDERS = 16;

export type Run = {
  acceptedPerSecond: number;
  deliveredPerSecond: number;
  acceptP50Ms: number;
  acceptP99Ms: number;
  lagP50Ms: number;
  lagP99Ms: number;
  cpuMsPerMessage: number;
  residentMiB: number;
};

export type Bench = { bundles: Bundles; sink: Sink };
export type Contender = { kind: Kind; bundles: Bundles };

/**
 * One load on some fresh subjects, cut into slices that are sent to them in turn: what the machine does meanwhile hits all
 * alike. Each has been warmed up before, over the same tickets, unless the load is to open its own. One turn of
 * all must stay below 10 seconds, after which the runtime evicts a ticket. Throws when anything was refused, lost or out of order.
 */
export async function measure(
  sink: Sink,
  contenders: readonly Contender[],
  load: Load,
  { medium, opens, slices }: { medium: Medium; opens: boolean; slices: number },
): Promise<Run[]> {
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(sink.clear);
  const subjects: Subject[] = [];
  for (const { kind, bundles } of contenders) {
    const subject = await startSubject(kind, bundles, sink.url, { medium });
    cleanup.defer(subject.stop);
    subjects.push(subject);
    const warmUp = { ...load, tickets: Math.min(load.tickets, 200), messages: WARM_UP };
    await drive({ ...at(subject, sink, "warm"), tickets: opens ? "warm" : "run" }, warmUp);
  }
  const part = { ...load, messages: load.messages / slices, tickets: opens ? load.tickets / slices : load.tickets };
  // Those that were warmed up first have lost their tickets again while the others were.
  for (const subject of subjects) {
    await drive({ ...at(subject, sink, "again"), tickets: opens ? "again" : "run" }, part);
  }
  const before = subjects.map(({ pid }) => cpuMs(pid));
  const parts = subjects.map((): Driven[] => []);
  for (let slice = 0; slice < slices; slice++) {
    const name = `run${slice}`;
    for (const [nth, subject] of subjects.entries()) {
      sink.clear();
      parts[nth]?.push(await driven({ ...at(subject, sink, name), tickets: opens ? name : "run" }, part));
    }
  }
  await pause(REST_MS);
  return subjects.map(({ pid }, nth) => {
    const cpuMsPerMessage = (cpuMs(pid) - (before[nth] ?? 0)) / load.messages;
    return Object.assign(figuresOf(parts[nth] ?? []), { cpuMsPerMessage, residentMiB: residentBytes(pid) / 1024 ** 2 });
  });
}

function figuresOf(parts: readonly Driven[]) {
  const sum = (of: (one: Driven) => number) => parts.reduce((total, one) => total + of(one), 0);
  const accepts = parts.flatMap((one) => one.acceptsMs);
  const lags = parts.flatMap((one) => one.lagsMs);
  return {
    acceptedPerSecond: (accepts.length / sum((one) => one.acceptingMs)) * 1000,
    deliveredPerSecond: (lags.length / sum((one) => one.deliveringMs)) * 1000,
    acceptP50Ms: quantile(accepts, 0.5),
    acceptP99Ms: quantile(accepts, 0.99),
    lagP50Ms: quantile(lags, 0.5),
    lagP99Ms: quantile(lags, 0.99),
  };
}

const at = ({ url }: Subject, sink: Sink, name: string) => ({ url, owner: OWNERS.healthy, sink, name });

async function driven(target: Parameters<typeof drive>[0], load: Load): Promise<Driven> {
  const result = await drive(target, load);
  const { refused, lost, outOfOrder } = result;
  if (refused + lost + outOfOrder > 0) {
    throw new Error(`Refused ${refused}, lost ${lost}, out of order ${outOfOrder}: that counts for nothing.`);
  }
  return result;
}

/** Rows written for each delivered message, until the alarms have rung. The ticket's opening is part of it. */
export async function countRows({ bundles, sink }: Bench, kind: Kind, load: Load): Promise<number> {
  const subject = await startSubject(kind, bundles, sink.url, { counted: true });
  try {
    const before = await subject.rowsWritten();
    await driven(at(subject, sink, "run"), load);
    await pause(REST_MS);
    return ((await subject.rowsWritten()) - before) / load.messages;
  } finally {
    await subject.stop();
    sink.clear();
  }
}

/** One ticket with ever more history: how fast the last so many are delivered, measured against the first. */
export async function measureHistory({ bundles, sink }: Bench, kind: Kind, load: Load, part: number): Promise<number> {
  const subject = await startSubject(kind, bundles, sink.url);
  try {
    // The compiler learns on another ticket.
    await drive(at(subject, sink, "warm"), { ...load, messages: WARM_UP });
    sink.clear();
    const { arrivals } = await driven(at(subject, sink, "run"), load);
    const took = (from: number) => (arrivals[from + part - 1]?.atMs ?? 0) - (arrivals[from]?.atMs ?? 0);
    return took(0) / took(arrivals.length - part);
  } finally {
    await subject.stop();
    sink.clear();
  }
}

/**
 * What else goes on while healthy desks are measured: nothing, or as much again for desks that are healthy, or sick. Alone
 * is not the first, since a runtime still gets faster then; the sick come last: what waits for them is tried again for long.
 */
export const BESIDE = ["beside healthy", "alone", "beside sick"] as const;

/** The lag of healthy desks' messages, p99 in ms, with each of these beside them, one after another in the same runtime. */
export async function measureBeside(
  { bundles, sink }: Bench,
  load: Offer,
): Promise<Record<(typeof BESIDE)[number], number>> {
  const subject = await startSubject("relay", bundles, sink.url);
  const healthy = (name: string) => ({ ...at(subject, sink, name), tickets: "run" });
  const others = (name: string) => ({ ...at(subject, sink, name), owner: OWNERS.sick, tickets: "other" });
  const p99Ms = { "beside healthy": Number.NaN, alone: Number.NaN, "beside sick": Number.NaN };
  try {
    const both = async (messages: number, name: string) => {
      await drive(healthy(name), { ...load, senders: SENDERS, messages });
      await drive(others(`${name}-other`), { ...load, senders: SENDERS, messages });
    };
    await both(WARM_UP / 2, "warm");
    for (const beside of BESIDE) {
      // All tickets are open and in memory before anything is measured: what that costs is another question.
      await both(load.tickets, `wake ${beside}`);
      sink.clear();
      if (beside === "beside sick") sink.sick.add(OWNERS.sick);
      const [{ refused, lost, lagsMs }, other] = await Promise.all([
        offer(healthy(beside), load),
        beside === "alone" ? undefined : offer(others(`other ${beside}`), load, 0),
      ]);
      if (refused + lost + (other?.refused ?? 0) > 0) throw new Error("Something was refused or lost.");
      p99Ms[beside] = quantile(lagsMs, 0.99);
    }
    return p99Ms;
  } finally {
    sink.sick.clear();
    await subject.stop();
    sink.clear();
  }
}

export type OfferedRun = {
  lagP50Ms: number;
  lagP90Ms: number;
  lagP99Ms: number;
  deliveredPerSecond: number;
  cpuMsPerMessage: number;
  refused: number;
  lost: number;
  outOfOrder: number;
  /** How late the bench itself was: where this is much, the figures are its own. */
  sentLateP99Ms: number;
};

/** A load at its own pace on a fresh subject, whose tickets are open. Of the requests to the desk the share `failing` gets 503. */
export async function measureOffered(
  { bundles, sink }: Bench,
  kind: Kind,
  load: Offer,
  {
    medium,
    failing,
    warmUp = WARM_UP,
    restMs = REST_MS,
    patienceMs,
  }: { medium: Medium; failing: number; warmUp?: number; restMs?: number; patienceMs?: number },
): Promise<OfferedRun> {
  const subject = await startSubject(kind, bundles, sink.url, { medium });
  try {
    const tickets = "run";
    await drive({ ...at(subject, sink, "warm"), tickets }, { ...load, senders: SENDERS, messages: warmUp });
    sink.clear();
    sink.failing = failing;
    const before = cpuMs(subject.pid);
    const result = await offer({ ...at(subject, sink, "run"), tickets }, load, patienceMs);
    await pause(restMs);
    const { refused, lost, outOfOrder, lagsMs, deliveringMs, sentLateMs } = result;
    return {
      lagP50Ms: quantile(lagsMs, 0.5),
      lagP90Ms: quantile(lagsMs, 0.9),
      lagP99Ms: quantile(lagsMs, 0.99),
      deliveredPerSecond: (lagsMs.length / deliveringMs) * 1000,
      cpuMsPerMessage: (cpuMs(subject.pid) - before) / load.messages,
      refused,
      lost,
      outOfOrder,
      sentLateP99Ms: quantile(sentLateMs, 0.99),
    };
  } finally {
    sink.failing = 0;
    await subject.stop();
    sink.clear();
  }
}

/** `perTicketKiB` is of tickets that are all in memory; `wavesMiB` is the runtime's memory right after each wave. */
export type Memory = { beforeMiB: number; perTicketKiB: number; wavesMiB: number[] };

/**
 * What tickets at rest keep in memory, and whether it comes back: they are opened in waves, each short enough for none of it
 * to be evicted, with a rest in between that evicts them all. What came back is there for the next wave.
 */
export async function measureMemory(
  { bundles, sink }: Bench,
  kind: Kind,
  load: Load,
  { waves, restMs }: { waves: number; restMs: number },
): Promise<Memory> {
  const subject = await startSubject(kind, bundles, sink.url);
  try {
    await drive(at(subject, sink, "warm"), { ...load, tickets: 100, messages: WARM_UP });
    await pause(restMs);
    const mib = () => residentBytes(subject.pid) / 1024 ** 2;
    const beforeMiB = mib();
    const wavesMiB: number[] = [];
    for (let wave = 0; wave < waves; wave++) {
      sink.clear();
      await driven(at(subject, sink, `wave${wave}`), load);
      wavesMiB.push(mib());
      await pause(restMs);
    }
    const perTicketKiB = (((wavesMiB[0] ?? 0) - beforeMiB) * 1024) / load.tickets;
    return { beforeMiB, perTicketKiB, wavesMiB };
  } finally {
    await subject.stop();
    sink.clear();
  }
}
