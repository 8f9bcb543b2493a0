import { useEffect, useState } from "preact/hooks";
import type { ApiError } from "../api/call";
import type { Page } from "../api/types";
import { asApiError, useLoad } from "./load";

type Pages<T> = {
  items: T[];
  error: ApiError | undefined;
  isLoading: boolean;
  /** Undefined when there are no more. */
  more: (() => void) | undefined;
  /** From the first page on again. */
  reload: () => void;
  /** Changes what is shown, until it is read again. */
  change: (change: (items: T[]) => T[]) => void;
};

type Shown<T> = { items: T[]; next: string | undefined };

/** A list that is read page by page. Another `key` starts afresh. */
export function usePages<T>(
  key: string,
  load: (before: string | undefined, signal: AbortSignal) => Promise<Page<T>>,
): Pages<T> {
  const first = useLoad(key, (signal) => load(undefined, signal));
  const [shown, setShown] = useState<Shown<T>>({ items: [], next: undefined });
  const [isMore, setIsMore] = useState(false);
  const [error, setError] = useState<ApiError>();
  const { data } = first;
  useEffect(() => {
    setShown({ items: data?.items ?? [], next: data?.next });
    setError(undefined);
  }, [data]);

  const readMore = async () => {
    setIsMore(true);
    try {
      const page = await load(shown.next, AbortSignal.timeout(30_000));
      // Of another list by now: not wanted.
      setShown((now) => (now.next === shown.next ? { items: [...now.items, ...page.items], next: page.next } : now));
      setError(undefined);
    } catch (caught) {
      setError(asApiError(caught));
    }
    setIsMore(false);
  };

  return {
    items: shown.items,
    error: error ?? first.error,
    isLoading: first.isLoading || isMore,
    more: shown.next === undefined ? undefined : () => void readMore(),
    reload: first.reload,
    change: (change) => setShown((now) => ({ ...now, items: change(now.items) })),
  };
}
