import type { Answer, FarEnd, Received } from "./far-end.ts";

/**
 * A fake 3Dolphins: it takes events, and has the service APIs (login, contact, history). Strict about what it is sent, and
 * faulty on demand.
 *
 * Written from 3Dolphins' public documentation, which bears no version: "Third-Party Integration", "Get Token", "Contact
 * API", "Report API". What the pages leave out is guessed: the paging of the report, and how a failure looks. It does not
 * do: the Ticket API, the history of live chats, filters of the report, options of a contact.
 */

type EngineApi = "login" | "contact" | "history" | "event";
type ContactShape = "bare" | "data" | "list";

export type FakeEngine = {
  /** What was wrong with a request: method, path, authentication, body. Each was answered 400 or 401. */
  problems: string[];
  contacts: Map<string, object>;
  /** How it wraps a contact. */
  shape: ContactShape;
  /** The rows of the report, by ticket. */
  conversations: Map<string, object[]>;
  /** The body of the newest history request. */
  asked: () => unknown;
  /** Requests of this kind so far. */
  count: (api: EngineApi) => number;
  /** Every token issued so far is refused from now on. */
  revoke: () => void;
  /** Answers the next request of this kind like this, before it looks at anything. */
  failNext: (api: EngineApi, fault: Answer | "hang") => void;
};

const API = "/dolphin/apiv1";
const FILTERS = ["channelFilters", "channelTypeFilters", "agentFilters", "customerFilters", "ticketTagFilters"];

const json = (body: unknown, status = 200): Answer => ({ status, body: JSON.stringify(body) });

type Options = {
  /** The header that has to be there, by default the token of a login. */
  auth?: { name: string; value: string } | "none";
  username?: string;
  password?: string;
  pageSize?: number;
  /** Of a token. */
  lifetimeMs?: number;
};

/** Has the far end answer as the engine does. */
export function fakeEngine(far: FarEnd, options: Options = {}): FakeEngine {
  const { auth, username = "bank", password = "rahasia", pageSize = 2, lifetimeMs = 3_600_000 } = options;
  const faults: { api: EngineApi; fault: Answer | "hang" }[] = [];
  const counts = new Map<EngineApi, number>();
  let issued = 0;
  let revokedUpTo = 0;
  let asked: unknown;

  const engine: FakeEngine = {
    problems: [],
    contacts: new Map(),
    shape: "bare",
    conversations: new Map(),
    asked: () => asked,
    count: (api) => counts.get(api) ?? 0,
    revoke: () => {
      revokedUpTo = issued;
    },
    failNext: (api, fault) => faults.push({ api, fault }),
  };

  const complain = (problem: string): Answer => {
    engine.problems.push(problem);
    return json({ status: "error", message: problem }, 400);
  };

  function login({ method, body }: Received): Answer {
    if (method !== "POST") return complain(`login by ${method}`);
    if (body !== JSON.stringify({ username, password })) return json({ status: "error" }, 401);
    issued += 1;
    const expireAt = new Date(Date.now() + lifetimeMs + 7 * 3_600_000)
      .toISOString()
      .replace("Z", "+07:00[Asia/Jakarta]");
    return json({ token: `token-${issued}`, expireAt });
  }

  function isAuthentic({ headers }: Received): boolean {
    if (auth === "none") return headers["authorization"] === undefined;
    if (auth) return headers[auth.name] === auth.value;
    const number = Number(/^Bearer token-(\d+)$/.exec(headers["authorization"] ?? "")?.[1] ?? 0);
    return number > revokedUpTo && number <= issued;
  }

  function contact({ method, body }: Received, query: URLSearchParams): Answer {
    if (method !== "GET" || body !== "") return complain(`contact by ${method} with ${body}`);
    const found = engine.contacts.get(query.get("contactId") ?? "");
    if (engine.shape === "list") return json({ status: "success", data: found ? [found] : [] });
    if (engine.shape === "data") return json({ status: "success", data: found ?? null });
    return found ? json(found) : { status: 200, body: "" };
  }

  function history({ method, body, headers }: Received, query: URLSearchParams): Answer {
    if (method !== "POST" || headers["content-type"] !== "application/json") return complain(`history by ${method}`);
    const wanted = JSON.parse(body) as Record<string, unknown>;
    asked = wanted;
    const names = [...FILTERS, "startDateFilter", "endDateFilter", "ticketNumber"];
    if (Object.keys(wanted).join() !== names.join()) return complain(`history with ${Object.keys(wanted).join()}`);
    if (FILTERS.some((name) => JSON.stringify(wanted[name]) !== "[]")) return complain("history with filters");
    const startIndex = Number(query.get("startIndex") ?? Number.NaN);
    if (!Number.isInteger(startIndex)) return complain("history without startIndex");
    const rows = engine.conversations.get(String(wanted["ticketNumber"])) ?? [];
    const nextIndex = startIndex + pageSize;
    const hasMore = nextIndex < rows.length;
    const page = { hasMore, ...(hasMore ? { nextIndex } : {}), totalResults: rows.length };
    return json({ status: "success", data: rows.slice(startIndex, nextIndex), ...page });
  }

  far.answerWith((request) => {
    const url = new URL(request.path, far.url);
    const api = apiOf(url.pathname);
    if (!api) return complain(`${request.method} ${url.pathname}`);
    counts.set(api, engine.count(api) + 1);
    const due = faults.findIndex((one) => one.api === api);
    if (due >= 0) {
      const [one] = faults.splice(due, 1);
      // Never answered: the relay's time limit ends it.
      return one?.fault === "hang" ? new Promise<Answer>(() => undefined) : (one?.fault ?? json({}));
    }
    if (api === "login") return login(request);
    if (!isAuthentic(request)) return json({ status: "error" }, 401);
    if (api === "event") return json({ status: "success" });
    return api === "contact" ? contact(request, url.searchParams) : history(request, url.searchParams);
  });
  return engine;
}

function apiOf(pathname: string): EngineApi | undefined {
  if (pathname === `${API}/graph/auth`) return "login";
  if (pathname === `${API}/graph/contacts/contactById`) return "contact";
  if (pathname === `${API}/graph/report/conversations`) return "history";
  return pathname === "/outgoing" || pathname === "/command" ? "event" : undefined;
}
