import { useEffect, useRef, useState } from "preact/hooks";

/** Calls `act` every so often while the page is looked at; `undefined` rests. */
export function useEvery(periodMs: number | undefined, act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    if (periodMs === undefined) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) latest.current();
    }, periodMs);
    return () => clearInterval(timer);
  }, [periodMs]);
}

/** Epoch ms, anew every `periodMs`: who shows an age or counts down is drawn again by it. */
export function useNow(periodMs: number): number {
  const [nowMs, setNowMs] = useState(Date.now);
  useEvery(periodMs, () => setNowMs(Date.now()));
  return nowMs;
}

/** A function that calls `act` once, `quietMs` after it was last called. */
export function useDebounced(act: () => void, quietMs: number): () => void {
  const latest = useRef(act);
  latest.current = act;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const [debounced] = useState(() => () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => latest.current(), quietMs);
  });
  return debounced;
}
