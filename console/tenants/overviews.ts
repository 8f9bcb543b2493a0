import { useEffect, useRef, useState } from "preact/hooks";
import { readOverview } from "../api/relay";
import type { Overview } from "../api/types";
import { useEvery } from "../lib/every";

/** Asked for at the same time: more would only wait for each other. */
const AT_ONCE = 6;
const EVERY_MS = 15_000;
const MINUTES = 60;

export type Health = Overview | "unknown";

/** The last hour of each of these tenants, read again every so often. One that cannot be read is `unknown`. */
export function useOverviews(owners: string[]): Map<string, Health> {
  const [overviews, setOverviews] = useState(new Map<string, Health>());
  const abort = useRef(new AbortController());

  const readAll = () => {
    abort.current.abort();
    const { signal } = (abort.current = new AbortController());
    const left = [...owners];
    const read = async () => {
      for (let owner = left.shift(); owner !== undefined && !signal.aborted; owner = left.shift()) {
        const name = owner;
        const overview = await readOverview(name, MINUTES, signal).catch(() => "unknown" as const);
        if (!signal.aborted) setOverviews((before) => new Map(before).set(name, overview));
      }
    };
    for (let readers = 0; readers < AT_ONCE; readers += 1) void read();
  };

  useEffect(() => {
    readAll();
    return () => abort.current.abort();
  }, [owners.join("\n")]);
  useEvery(EVERY_MS, readAll);
  return overviews;
}
