import type { HealthAnswer } from "../../model/answers";
import { AppError, type Issue } from "../../model/errors";
import type { Result } from "../../model/result";
import { errorText } from "../../lib/log";
import { objectOf } from "../../config";
import { auditOf } from "../../http/audit-trail";
import { configOf, directoryOf, indexOf, registrarOf, ticketOf, type AppContext } from "../../http/context";
import { allow } from "../../http/operators";
import { Routes } from "../../http/routes";
import { sessionObject } from "../../http/session-cookie";

/** Whether the relay has all it needs, for its operator. */
export const health = new Routes();

/** Slower than this is as bad as not at all. */
const PATIENCE_MS = 5_000;
/** Nothing is stored under this name, and asking stores nothing. */
const NOBODY = "(nobody)";

type Check = HealthAnswer["checks"][number] | { name: string; ok: false; advice: string };

health.get("/", allow("viewer"), async (c) => {
  const { masterKeys, ingressKeys, operators, access, locationHint } = configOf(c);
  const checks: Check[] = [
    setting("MASTER_KEY", masterKeys),
    setting("INGRESS_KEYS", ingressKeys),
    setting("OPERATORS", operators),
    setting("ACCESS", access),
    setting("LOCATION_HINT", locationHint, "in wrangler.toml"),
    ...(await Promise.all(roundTrips(c))),
  ];
  const failed = checks.filter((check) => !check.ok);
  const passed = checks.filter((check) => check.ok);
  if (failed.length === 0) return c.json<HealthAnswer>({ status: "success", checks: passed });
  const issues: Issue[] = failed.map(({ name, advice }) => ({ path: name, message: advice }));
  const names = failed.map(({ name }) => name).join(", ");
  throw new AppError("unavailable", `Not in order: ${names}. The issues say what to do.`, { issues, detail: names });
});

/** The problem names the setting, and no value. */
const setting = (name: string, checked: Result<unknown, string>, where?: string): Check =>
  checked.ok
    ? { name, ok: true }
    : {
        name,
        ok: false,
        advice: `${checked.error}; set it ${where ?? `with: npx wrangler secret put ${checked.error.split(" ", 1)[0]}`}`,
      };

const roundTrips = (c: AppContext): Promise<Check>[] => [
  roundTrip("DIRECTORY", "the KV namespace", () => directoryOf(c).tenants(undefined, 1)),
  roundTrip("TICKET", OBJECT, () => ticketOf(c, NOBODY, NOBODY).ticketInfo()),
  roundTrip("TENANT_INDEX", OBJECT, () => indexOf(c, NOBODY).deadTickets(undefined, 1)),
  roundTrip("ENGINE_SESSION", OBJECT, () => objectOf(c.env.ENGINE_SESSION, NOBODY, configOf(c)).hasToken()),
  roundTrip("REGISTRAR", OBJECT, () => registrarOf(c, NOBODY).isThere()),
  roundTrip("CONSOLE_SESSION", OBJECT, () => sessionObject(c, { id: NOBODY }).isOpen()),
  roundTrip("AUDIT", OBJECT, () => auditOf(c).isReady()),
];

const OBJECT = "the Durable Object";

async function roundTrip(name: string, what: string, question: () => Promise<unknown>): Promise<Check> {
  const startedAtMs = Date.now();
  const problem = await Promise.race([
    // Within the chain: a binding that is missing throws, and does not reject.
    Promise.resolve()
      .then(question)
      .then(
        () => undefined,
        (error: unknown) => errorText(error),
      ),
    new Promise<string>((fulfil) => setTimeout(() => fulfil(`no answer within ${PATIENCE_MS / 1000} s`), PATIENCE_MS)),
  ]);
  if (problem === undefined) return { name, ok: true, ms: Date.now() - startedAtMs };
  const advice = `${what} does not answer (${problem}); compare the binding in wrangler.toml with the dashboard, then see cloudflarestatus.com`;
  return { name, ok: false, advice };
}
