import { setTimeout as pause } from "node:timers/promises";
import { drive, quantile, type Figures, type Load, type Sink } from "./load.ts";
import { OWNERS, startSubject, type Bundles, type Kind, type Medium } from "./subject.ts";
import { cpuMs, residentBytes } from "./usage.ts";

/** Alarms that a delivery leaves behind ring within so long: what they cost is part of what a message costs. */
const REST_MS = 6_000;
/** Until the compiler has seen the hot path and the heap has its size. */
const WARM_UP = 6_000;

export type Run = Omit<Figures, "accepted" | "delivered"> & {
  messages: number;
  cpuMsPerMessage: number;
  residentMiB: number;
};

export type Bench = { bundles: Bundles; sink: Sink };

/**
 * One load on one fresh subject that has been warmed up: over the same tickets, unless the load is to open its own. Throws
 * when anything was refused, lost or out of order.
 */
export async function measure(
  { bundles, sink }: Bench,
  kind: Kind,
  load: Load,
  { medium, opens }: { medium: Medium; opens: boolean },
): Promise<Run> {
  const subject = await startSubject(kind, bundles, sink.url, { medium });
  try {
    const warmUp = { ...load, tickets: Math.min(load.tickets, 200), messages: WARM_UP };
    await drive(subject.url, OWNERS.healthy, warmUp, sink, { name: "warm", tickets: opens ? "warm" : "run" });
    sink.clear();
    const before = cpuMs(subject.pid);
    const { accepted, delivered, sent: _, arrivals: __, ...figures } = await driven(subject.url, load, sink);
    await pause(REST_MS);
    return {
      ...figures,
      messages: delivered,
      cpuMsPerMessage: (cpuMs(subject.pid) - before) / accepted,
      residentMiB: residentBytes(subject.pid) / 1024 ** 2,
    };
  } finally {
    await subject.stop();
    sink.clear();
  }
}

async function driven(url: string, load: Load, sink: Sink) {
  const result = await drive(url, OWNERS.healthy, load, sink, { name: "run" });
  const { accepted, refused, delivered, outOfOrder } = result;
  if (refused + outOfOrder + (accepted - delivered) > 0) {
    throw new Error(
      `Refused ${refused}, lost ${accepted - delivered}, out of order ${outOfOrder}: that counts for nothing.`,
    );
  }
  return result;
}

/** Rows written for each delivered message, until the alarms have rung. The ticket's opening is part of it. */
export async function countRows({ bundles, sink }: Bench, kind: Kind, load: Load): Promise<number> {
  const subject = await startSubject(kind, bundles, sink.url, { counted: true });
  try {
    const before = await subject.rowsWritten();
    const { delivered } = await driven(subject.url, load, sink);
    await pause(REST_MS);
    return ((await subject.rowsWritten()) - before) / delivered;
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

/** The lag of healthy desks' messages, p99 in ms, alone or beside as many of a tenant whose desk is sick. */
export async function measureBeside({ bundles, sink }: Bench, load: Load, isBeside: boolean): Promise<number> {
  const subject = await startSubject("relay", bundles, sink.url);
  try {
    // All tickets are open before anything is measured: what opening costs is another question.
    const { perSecond: _, ...atOnce } = load;
    const warmUp = { ...atOnce, messages: WARM_UP / 2 };
    await drive(subject.url, OWNERS.healthy, warmUp, sink, { name: "warm", tickets: "run" });
    await drive(subject.url, OWNERS.sick, warmUp, sink, { name: "warmed", tickets: "sick" });
    await pause(REST_MS);
    sink.clear();
    sink.sick.add(OWNERS.sick);
    const healthy = drive(subject.url, OWNERS.healthy, load, sink, { name: "run" });
    const sick = isBeside ? drive(subject.url, OWNERS.sick, load, sink, { name: "sick" }, 0) : undefined;
    const { refused, accepted, delivered, lagP99Ms } = await healthy;
    const failing = await sick;
    if (refused + accepted - delivered + (failing?.refused ?? 0) > 0) throw new Error("Something was refused or lost.");
    return lagP99Ms;
  } finally {
    sink.sick.clear();
    await subject.stop();
    sink.clear();
  }
}

export type Memory = { perTicketKiB: number; restedMiB: number; firstMiB: number; secondMiB: number };

/** What tickets at rest keep in memory, and whether it comes back: the second thousands find room where the first were. */
export async function measureMemory({ bundles, sink }: Bench, kind: Kind, load: Load, idleMs: number): Promise<Memory> {
  const subject = await startSubject(kind, bundles, sink.url);
  try {
    await drive(subject.url, OWNERS.healthy, { ...load, tickets: 100, messages: WARM_UP }, sink, { name: "warm" });
    await pause(idleMs);
    const mib = () => residentBytes(subject.pid) / 1024 ** 2;
    const before = mib();
    await drive(subject.url, OWNERS.healthy, load, sink, { name: "first" });
    const first = mib();
    await pause(idleMs);
    const rested = mib();
    await drive(subject.url, OWNERS.healthy, load, sink, { name: "second" });
    const perTicketKiB = ((first - before) * 1024) / load.tickets;
    return { perTicketKiB, firstMiB: first, restedMiB: rested, secondMiB: mib() };
  } finally {
    await subject.stop();
    sink.clear();
  }
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
