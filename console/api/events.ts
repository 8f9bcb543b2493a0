import { eventsUrl, readMe } from "./relay";
import type { TicketEvent } from "./types";

/** The live word of a tenant's tickets, kept up over broken connections. */

const LONGEST_WAIT_MS = 30_000;
const FIRST_WAIT_MS = 1000;
/** A network may swallow a connection without a word. So the relay is asked this often whether it is still there. */
const PING_EVERY_MS = 20_000;

export type LinkState = "connecting" | "live" | "lost";

type Listener = {
  onEvent: (event: TicketEvent) => void;
  onState: (state: LinkState) => void;
  /** It is up again after a gap: what happened meanwhile has to be read. */
  onGap: () => void;
  onSignedOut: () => void;
};

/** Listens until the returned function is called. */
export function listen(owner: string, listener: Listener): () => void {
  /** The connection that counts: what another still says or does is past. */
  let current: WebSocket | undefined;
  let pings: ReturnType<typeof setInterval> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let opened = false;
  let ended = false;

  const connect = () => {
    const socket = new WebSocket(eventsUrl(owner));
    current = socket;
    let isHeard = true;
    pings = setInterval(() => {
      if (!isHeard) return drop(retry);
      isHeard = false;
      if (socket.readyState === WebSocket.OPEN) socket.send("ping");
    }, PING_EVERY_MS);
    socket.addEventListener("open", () => {
      if (socket !== current) return;
      failures = 0;
      listener.onState("live");
      if (opened) listener.onGap();
      opened = true;
    });
    socket.addEventListener("message", ({ data }) => {
      if (socket !== current) return;
      isHeard = true;
      if (data !== "pong") listener.onEvent(JSON.parse(String(data)) as TicketEvent);
    });
    socket.addEventListener("close", ({ code, reason }) => {
      // The relay lets no socket live long, so that one does not outlive its session.
      if (socket === current) drop(code === 1000 && reason === "reconnect" ? connect : retry);
    });
  };

  /** Leaves the connection, which may take a minute to notice. */
  const drop = (then: () => unknown) => {
    const socket = current;
    current = undefined;
    clearInterval(pings);
    socket?.close();
    void then();
  };

  const retry = async () => {
    listener.onState("lost");
    failures += 1;
    const longestMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
    timer = setTimeout(connect, longestMs * (0.5 + Math.random() / 2));
    // A browser does not say why a socket was refused; the session's end is the one cause that waiting does not fix.
    const operator = await readMe().catch(() => "unreachable");
    if (!ended && operator === undefined) listener.onSignedOut();
  };

  connect();
  return () => {
    ended = true;
    clearTimeout(timer);
    drop(() => undefined);
  };
}
