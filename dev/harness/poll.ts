import { setTimeout as pause } from "node:timers/promises";

/** Reads again until the condition holds, or the time is over. Gives what was read last. */
export async function poll<T>(
  read: () => Promise<T>,
  condition: (value: T) => boolean,
  { timeoutMs, everyMs = 50 }: { timeoutMs: number; everyMs?: number },
): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (condition(value) || Date.now() > deadlineMs) return value;
    await pause(everyMs);
  }
}
