import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/call";

export type Loaded<T> = {
  data: T | undefined;
  error: ApiError | undefined;
  isLoading: boolean;
  /** Reads again; asked while a reading is under way, once more after it. */
  reload: () => void;
};

type State<T> = { key: string; data?: T; error?: ApiError; isLoading: boolean };

export const asApiError = (error: unknown): ApiError =>
  error instanceof ApiError ? error : new ApiError(0, "internal", String(error));

/** What `load` gives. Another `key` starts afresh; a reading that fails keeps what was there before it. */
export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<State<T>>({ key, isLoading: true });
  const latest = useRef(load);
  latest.current = load;
  const start = useRef(() => {});

  useEffect(() => {
    const abort = new AbortController();
    let isBusy = false;
    let again = false;
    const read = async () => {
      if (isBusy) {
        again = true;
        return;
      }
      isBusy = true;
      do {
        again = false;
        try {
          const data = await latest.current(abort.signal);
          if (!abort.signal.aborted) setState({ key, data, isLoading: false });
        } catch (error) {
          if (!abort.signal.aborted) setState((before) => ({ ...before, error: asApiError(error), isLoading: false }));
        }
      } while (again && !abort.signal.aborted);
      isBusy = false;
    };
    start.current = () => void read();
    setState({ key, isLoading: true });
    void read();
    return () => abort.abort();
  }, [key]);

  const reload = useCallback(() => start.current(), []);
  // Until the effect has run, what is there belongs to the key before.
  const current = state.key === key ? state : { key, isLoading: true };
  return { data: current.data, error: current.error, isLoading: current.isLoading, reload };
}
