import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { listen, type LinkState } from "../../../console/api/events";

/** A browser's WebSocket whose other side does what the test says; by itself it answers nothing. */
class FakeSocket extends EventTarget {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: string[] = [];

  constructor() {
    super();
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.readyState = 2;
  }

  open(): void {
    this.readyState = FakeSocket.OPEN;
    this.dispatchEvent(new Event("open"));
  }

  say(data: string): void {
    this.dispatchEvent(Object.assign(new Event("message"), { data }));
  }
}

const states: LinkState[] = [];
const heard = { events: 0, gaps: 0 };
let stop: () => void;

const newest = (): FakeSocket => {
  const socket = FakeSocket.all.at(-1);
  if (!socket) throw new Error("no socket");
  return socket;
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("location", { href: "https://relay.example/console" });
  vi.stubGlobal("fetch", async () =>
    Response.json({ status: "success", operator: { name: "admin", role: "admin", by: "session" } }),
  );
  FakeSocket.all = [];
  states.length = 0;
  Object.assign(heard, { events: 0, gaps: 0 });
  stop = listen("owner", {
    onEvent: () => heard.events++,
    onState: (state) => states.push(state),
    onGap: () => heard.gaps++,
    onSignedOut: () => undefined,
  });
  newest().open();
});
afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a live view whose relay answers every ping stays as it is, and takes no answer for an event", async () => {
  for (let minute = 0; minute < 10; minute++) {
    await vi.advanceTimersByTimeAsync(20_000);
    expect(newest().sent).toHaveLength(minute + 1);
    newest().say("pong");
  }
  expect([FakeSocket.all.length, states, heard.events]).toEqual([1, ["live"], 0]);
});

test("a live view whose network swallows everything is lost within 40 seconds, and comes again by a new connection", async () => {
  const swallowed = newest();
  await vi.advanceTimersByTimeAsync(40_000);
  expect(states).toEqual(["live", "lost"]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(FakeSocket.all).toHaveLength(2);
  newest().open();
  expect([states.at(-1), heard.gaps]).toEqual(["live", 1]);
  // What the old one does in the end changes nothing any more.
  swallowed.say('{"type":"gone","ticketNumber":"t"}');
  swallowed.dispatchEvent(Object.assign(new Event("close"), { code: 1006, reason: "" }));
  expect([states.at(-1), heard.events, FakeSocket.all.length]).toEqual(["live", 0, 2]);
});

test("a connection that never opens is given up and tried again", async () => {
  await vi.advanceTimersByTimeAsync(41_000);
  await vi.advanceTimersByTimeAsync(45_000);
  expect(FakeSocket.all.length).toBeGreaterThan(2);
});

test("a live view that nobody looks at any more sends nothing", async () => {
  stop();
  await vi.advanceTimersByTimeAsync(120_000);
  expect([newest().sent, FakeSocket.all.length, states]).toEqual([[], 1, ["live"]]);
});
