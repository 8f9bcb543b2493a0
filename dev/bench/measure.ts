import { setTimeout as pause } from "node:timers/promises";
import { drive, quantile, type Driven, type Load, type Sink } from "./load.ts";
import { OWNERS, startSubject, type Bundles, type Kind, type Medium, type Subject } from "./subject.ts";
import { cpuMs, residentBytes } from "./usage.ts";

/** Alarms that a delivery leaves behind ring within so long: what they cost is part of what a message costs. */
const REST_MS = 9_000;
/** Until the compiler has seen the hot path and the heap has its size. */
const WARM_UP = 6_000;

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
    await drive(subject.url, OWNERS.healthy, warmUp, sink, { name: "warm", tickets: opens ? "warm" : "run" });
  }
  const part = { ...load, messages: load.messages / slices, tickets: opens ? load.tickets / slices : load.tickets };
  // Those that were warmed up first have lost their tickets again while the others were.
  for (const { url } of subjects) {
    await drive(url, OWNERS.healthy, part, sink, { name: "again", tickets: opens ? "again" : "run" });
  }
  const before = subjects.map(({ pid }) => cpuMs(pid));
  const parts = subjects.map((): Driven[] => []);
  for (let slice = 0; slice < slices; slice++) {
    const names = { name: `run${slice}`, tickets: opens ? `run${slice}` : "run" };
    for (const [at, subject] of subjects.entries()) {
      sink.clear();
      parts[at]?.push(await driven(subject.url, part, sink, names));
    }
  }
  await pause(REST_MS);
  return subjects.map(({ pid }, at) => {
    const cpuMsPerMessage = (cpuMs(pid) - (before[at] ?? 0)) / load.messages;
    return Object.assign(figuresOf(parts[at] ?? []), { cpuMsPerMessage, residentMiB: residentBytes(pid) / 1024 ** 2 });
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

async function driven(url: string, load: Load, sink: Sink, naming = { name: "run", tickets: "run" }): Promise<Driven> {
  const result = await drive(url, OWNERS.healthy, load, sink, naming);
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
    await driven(subject.url, load, sink);
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
    await drive(subject.url, OWNERS.healthy, { ...load, messages: WARM_UP }, sink, { name: "warm" });
    sink.clear();
    const { arrivals } = await driven(subject.url, load, sink);
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
  load: Load,
): Promise<Record<(typeof BESIDE)[number], number>> {
  const subject = await startSubject("relay", bundles, sink.url);
  const { url } = subject;
  const p99Ms = { "beside healthy": Number.NaN, alone: Number.NaN, "beside sick": Number.NaN };
  try {
    const { perSecond: _, ...atOnce } = load;
    const both = async (messages: number, name: string) => {
      await drive(url, OWNERS.healthy, { ...atOnce, messages }, sink, { name, tickets: "run" });
      await drive(url, OWNERS.sick, { ...atOnce, messages }, sink, { name: `${name}-other`, tickets: "other" });
    };
    await both(WARM_UP / 2, "warm");
    for (const beside of BESIDE) {
      // All tickets are open and in memory before anything is measured: what that costs is another question.
      await both(load.tickets, `wake ${beside}`);
      sink.clear();
      if (beside === "beside sick") sink.sick.add(OWNERS.sick);
      const [{ refused, lost, lagsMs }, others] = await Promise.all([
        drive(url, OWNERS.healthy, load, sink, { name: beside, tickets: "run" }),
        beside === "alone"
          ? undefined
          : drive(url, OWNERS.sick, load, sink, { name: `other ${beside}`, tickets: "other" }, 0),
      ]);
      if (refused + lost + (others?.refused ?? 0) > 0) throw new Error("Something was refused or lost.");
      p99Ms[beside] = quantile(lagsMs, 0.99);
    }
    return p99Ms;
  } finally {
    sink.sick.clear();
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
    await drive(subject.url, OWNERS.healthy, { ...load, tickets: 100, messages: WARM_UP }, sink, { name: "warm" });
    await pause(restMs);
    const mib = () => residentBytes(subject.pid) / 1024 ** 2;
    const beforeMiB = mib();
    const wavesMiB: number[] = [];
    for (let wave = 0; wave < waves; wave++) {
      sink.clear();
      const names = { name: `wave${wave}`, tickets: `wave${wave}` };
      await driven(subject.url, load, sink, names);
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

export const median = (values: readonly number[]): number => quantile(values, 0.5);
