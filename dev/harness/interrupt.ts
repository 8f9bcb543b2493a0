/**
 * Cleans up when the process is told to end, and then calls `exit`. Gives a function that says whether that has begun: what
 * fails from then on fails because of it.
 */
export function cleanUpOnSignal(cleanup: AsyncDisposableStack, exit: () => void): () => boolean {
  let isInterrupted = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // Not `once`: npm passes Ctrl-C on a second time, and that one must not cut the clean-up short.
    process.on(signal, () => {
      if (isInterrupted) return;
      isInterrupted = true;
      void cleanup.disposeAsync().finally(exit);
    });
  }
  return () => isInterrupted;
}
