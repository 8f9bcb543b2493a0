/** What is made of what was sent and what arrived. Pure. */

/** A message as it was sent. `ok` says that it was accepted. */
export type Sent = { key: string; sentAtMs: number; answeredAtMs: number; ok: boolean };

/** A message as the sink saw it. */
export type Arrival = { key: string; ticket: string; atMs: number };

/** What came of a load. */
export type Driven = {
  refused: number;
  lost: number;
  repeated: number;
  outOfOrder: number;
  /** Those that were delivered, in the order of their first arrival. */
  arrivals: Arrival[];
  /** From sending to the answer, of each message sent. */
  acceptsMs: number[];
  /** From sending to the first arrival, of each message delivered. */
  lagsMs: number[];
  /** From the first message sent to the last answered. */
  acceptingMs: number;
  /** From the first message sent to the last arrived. */
  deliveringMs: number;
};

/** `arrived` is in the order of arrival. */
export function drivenOf(sent: readonly Sent[], arrived: readonly Arrival[], startedAtMs: number): Driven {
  const seen = new Set<string>();
  const firsts = arrived.filter(({ key }) => seen.size < seen.add(key).size);
  const sentAt = new Map(sent.map((one) => [one.key, one.sentAtMs]));
  const accepted = sent.filter((one) => one.ok);
  const latest = (times: number[]) => times.reduce((last, time) => Math.max(last, time), startedAtMs) - startedAtMs;
  return {
    refused: sent.length - accepted.length,
    lost: accepted.length - firsts.length,
    repeated: arrived.length - firsts.length,
    outOfOrder: countOutOfOrder(sent, firsts),
    arrivals: firsts,
    acceptsMs: sent.map((one) => one.answeredAtMs - one.sentAtMs),
    lagsMs: firsts.map((one) => one.atMs - (sentAt.get(one.key) ?? 0)),
    acceptingMs: latest(sent.map((one) => one.answeredAtMs)),
    deliveringMs: latest(firsts.map((one) => one.atMs)),
  };
}

/**
 * How many arrived behind one of their own ticket that was sent only after they had been accepted. Of two that were under
 * way at once, either may have been accepted first.
 */
export function countOutOfOrder(sent: readonly Sent[], firsts: readonly Arrival[]): number {
  const byKey = new Map(sent.map((one) => [one.key, one]));
  const newestSentAtMs = new Map<string, number>();
  let count = 0;
  for (const { key, ticket } of firsts) {
    const one = byKey.get(key);
    if (!one) continue;
    const newest = newestSentAtMs.get(ticket) ?? Number.NEGATIVE_INFINITY;
    if (one.answeredAtMs < newest) count++;
    newestSentAtMs.set(ticket, Math.max(newest, one.sentAtMs));
  }
  return count;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Of the mean; NaN for fewer than two values. */
export function standardError(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}

export const ratios = (ours: readonly number[], theirs: readonly number[]): number[] =>
  ours.map((value, at) => value / (theirs[at] ?? Number.NaN));

/** The median, its standard error, and the least and the most. */
export function spreadOf(values: readonly number[]): string {
  const error = values.length > 1 ? ` ± ${standardError(values).toFixed(2)}` : "";
  return `${median(values).toFixed(2)}${error} (${Math.min(...values).toFixed(2)} – ${Math.max(...values).toFixed(2)})`;
}
