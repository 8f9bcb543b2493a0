import { eventsUrl, readSession } from "./relay";
import type { TicketEvent } from "./types";

/** The live word of a tenant's tickets, kept up over broken connections. */

const LONGEST_WAIT_MS = 30_000;
const FIRST_WAIT_MS = 1000;

export type LinkState = "connecting" | "live" | "lost";

type Listener = {
  onEvent: (event: TicketEvent) => void;
  onState: (state: LinkState) => void;
  /** It is up again after a gap: what was told meanwhile has to be read. */
  onGap: () => void;
  onSignedOut: () => void;
};

/** Listens until the returned function is called. */
export function listen(owner: string, listener: Listener): () => void {
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let opened = false;
  let ended = false;

  const connect = () => {
    socket = new WebSocket(eventsUrl(owner));
    socket.addEventListener("open", () => {
      failures = 0;
      listener.onState("live");
      if (opened) listener.onGap();
      opened = true;
    });
    socket.addEventListener("message", ({ data }) => listener.onEvent(JSON.parse(String(data)) as TicketEvent));
    socket.addEventListener("close", ({ code, reason }) => {
      if (ended) return;
      // The relay lets no socket live long, so that it hears of a session's end.
      if (code === 1000 && reason === "reconnect") connect();
      else void retry();
    });
  };

  const retry = async () => {
    listener.onState("lost");
    failures += 1;
    const longestMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
    timer = setTimeout(connect, longestMs * (0.5 + Math.random() / 2));
    // A browser does not say why a socket was refused; the session's end is the one cause that waiting does not fix.
    const session = await readSession().catch(() => "unreachable");
    if (!ended && session === undefined) listener.onSignedOut();
  };

  connect();
  return () => {
    ended = true;
    clearTimeout(timer);
    socket?.close();
  };
}
