import { useNow } from "../lib/every";
import { span } from "../lib/times";
import { useTimes, useWords } from "../words/language";

const TICK_MS = 1000;

/** A point in time, in the tenant's zone; date and zone on hover. */
export function Time({ at }: { at: string }) {
  const times = useTimes();
  return (
    <time dateTime={at} title={times.full(at)}>
      {times.clock(at, Date.now())}
    </time>
  );
}

/** How long ago it was, or how long it is until then. Counts by itself. */
export function Age({ at }: { at: string }) {
  const nowMs = useNow(TICK_MS);
  const words = useWords();
  const agoMs = nowMs - Date.parse(at);
  return (
    <span class="age">
      {agoMs >= 0 ? words.ago(span(agoMs, words.units)) : words.inTime(span(-agoMs, words.units))}
    </span>
  );
}

/** How long it is until then, or that it is due. */
export function Until({ at }: { at: string }) {
  const nowMs = useNow(TICK_MS);
  const words = useWords();
  const leftMs = Date.parse(at) - nowMs;
  return <span class="age">{leftMs > 0 ? words.inTime(span(leftMs, words.units)) : words.due}</span>;
}

/** For how long it has been so. */
export function For({ since }: { since: string }) {
  const nowMs = useNow(TICK_MS);
  return <>{span(nowMs - Date.parse(since), useWords().units)}</>;
}
