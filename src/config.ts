import * as z from "zod/mini";
import { equalSecrets, fromBase64 } from "./crypto/bytes";
import type { MasterKeys } from "./crypto/derive";
import { AppError } from "./model/errors";
import type { Result } from "./model/result";
import { refuse } from "./lib/zod";

/** A setting, or the name of it and what is wrong with it. */
type Setting<T> = Result<T, string>;
type IngressKey = { name: string; key: string };

/** The Worker's settings, checked. A setting that fails is an error only for the requests that need it: see `required`. */
export type Config = {
  adminToken: Setting<string>;
  masterKeys: Setting<MasterKeys>;
  ingressKeys: Setting<IngressKey[]>;
  allowInsecureTargets: boolean;
  /** By their names, the bindings that a far end may be reached through. */
  bindings: ReadonlyMap<string, Pick<Fetcher, "fetch">>;
  locationHint: Setting<DurableObjectLocationHint>;
};

const text = z.string({ error: "is not set" });

const adminToken = text.check(z.minLength(32, "is shorter than 32 characters; make one with: openssl rand -hex 32"));

const masterKey = z.pipe(
  text,
  z.transform((given, context) => {
    const bytes = fromBase64(given.trim());
    if (bytes?.byteLength === 32) return bytes;
    return refuse(context, "is not 32 bytes in base64; make one with: openssl rand -base64 32");
  }),
);

const SHORTEST_KEY = 16;

const ingressKeys = z.pipe(
  text,
  z.transform((given, context) => {
    const entries = given
      .split(",")
      .map((entry) => entry.trim())
      .filter((entry) => entry !== "");
    const keys = entries.map((entry) => ({
      name: entry.split("=", 1)[0] ?? "",
      key: entry.slice(entry.indexOf("=") + 1),
    }));
    if (keys.length === 0 || !entries.every((entry) => /^[^=\s]+=[A-Za-z0-9._~-]+$/.test(entry))) {
      return refuse(
        context,
        "is not a list of name=key, separated by commas, with keys of letters, digits and . _ ~ -",
      );
    }
    const short = keys.find(({ key }) => key.length < SHORTEST_KEY);
    if (!short) return keys;
    return refuse(
      context,
      `has a key of fewer than ${SHORTEST_KEY} characters (${short.name}); make one with: openssl rand -hex 24`,
    );
  }),
);

/** Where Cloudflare puts an object at its first use; it stays there. The nearest to Indonesia is Singapore's. */
const HINTS = ["wnam", "enam", "sam", "weur", "eeur", "apac", "apac-ne", "apac-se", "oc", "afr", "me"] as const;
const locationHint = z._default(z.enum(HINTS, { error: `is none of ${HINTS.join(", ")}` }), "apac-se");

/** What has a `fetch` of its own: a service, a VPC service or network, a client certificate. */
const bindingsOf = (env: object): Config["bindings"] =>
  new Map(
    Object.entries(env as Record<string, unknown>).filter((entry): entry is [string, Fetcher] => isFetcher(entry[1])),
  );

const isFetcher = (binding: unknown): boolean =>
  typeof binding === "object" && binding !== null && "fetch" in binding && typeof binding.fetch === "function";

/** MASTER_KEY, and behind it MASTER_KEY_PREVIOUS while that is set. */
function masterKeysOf(env: Env & { MASTER_KEY_PREVIOUS?: string }): Setting<MasterKeys> {
  const current = setting("MASTER_KEY", masterKey, env.MASTER_KEY);
  if (!current.ok) return current;
  if (env.MASTER_KEY_PREVIOUS === undefined) return { ok: true, value: [current.value] };
  const previous = setting("MASTER_KEY_PREVIOUS", masterKey, env.MASTER_KEY_PREVIOUS);
  return previous.ok ? { ok: true, value: [current.value, previous.value] } : previous;
}

function setting<T>(name: string, schema: z.ZodMiniType<T>, value: unknown): Setting<T> {
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, error: `${name} ${result.error.issues[0]?.message ?? "is not valid"}` };
}

const known = new WeakMap<object, Config>();

/** Reads and checks the bindings of one isolate, once. */
export function readConfig(env: Env): Config {
  let config = known.get(env);
  if (!config) {
    config = {
      adminToken: setting("ADMIN_TOKEN", adminToken, env.ADMIN_TOKEN),
      masterKeys: masterKeysOf(env),
      ingressKeys: setting("INGRESS_KEYS", ingressKeys, env.INGRESS_KEYS),
      allowInsecureTargets: env.ALLOW_INSECURE_TARGETS === "true",
      bindings: bindingsOf(env),
      locationHint: setting("LOCATION_HINT", locationHint, env.LOCATION_HINT),
    };
    known.set(env, config);
  }
  return config;
}

/** The value of a setting. Throws `unavailable`, whose log line names the setting and what is wrong with it. */
export function required<T>(wanted: Setting<T>): T {
  if (wanted.ok) return wanted.value;
  const message = "The relay is not set up: a setting is missing or malformed. Its log names the setting.";
  throw new AppError("unavailable", message, { detail: wanted.error, headers: { "retry-after": "60" } });
}

/**
 * The object of this name. A new one is made where the setting says. One that says nothing Cloudflare knows loses no message:
 * the object is made near the request then, and the health check names the setting.
 */
export const objectOf = <T extends Rpc.DurableObjectBranded | undefined>(
  objects: Pick<DurableObjectNamespace<T>, "getByName">,
  name: string,
  { locationHint }: Pick<Config, "locationHint">,
): DurableObjectStub<T> => objects.getByName(name, locationHint.ok ? { locationHint: locationHint.value } : {});

/** The names under which this key stands in INGRESS_KEYS: none when it is no engine's key. */
export function ingressNames(config: Config, key: string): string[] {
  return required(config.ingressKeys)
    .filter((entry) => equalSecrets(key, entry.key))
    .map((entry) => entry.name);
}
