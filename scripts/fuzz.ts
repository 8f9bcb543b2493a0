/**
 * `npm run fuzz [-- --seed 1 --examples 50 --operation <id>]`: starts a relay with a tenant, tickets and credentials, and has
 * schemathesis hold every operation of its description against it. Needs python3; schemathesis comes into an environment of
 * its own, under build/.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { fakeEngine } from "../dev/fakes/engine.ts";
import { type FarEnd, startFarEnd } from "../dev/fakes/far-end.ts";
import { call, registerTenant } from "../dev/harness/client.ts";
import { buildRelay, startRelay, throwawaySettings } from "../dev/harness/relay.ts";

const { values: options } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    /** At most so many generated requests for each operation, beside those for its limits and examples. */
    examples: { type: "string", default: "20" },
    operation: { type: "string" },
  },
});

const folder = fileURLToPath(new URL("fuzz/", import.meta.url));
const environment = fileURLToPath(new URL("../build/fuzz-venv", import.meta.url));

const OWNER = "82ab0fd5cfd1e80d1ff97c0cfc9aaaa";
const TICKET = "294c9ea88f7e649f8c37ae895ebab247";
const CONTACT = "d61d77735f3fe08bcf6d6b96fa06ba9d";
const ZENDESK_KEY = "the secret of a webhook";
const LOGIN = { type: "login", username: "relay", password: "the engine's password" };

/** Makes the environment where it is not there yet, or was made for other versions. Throws with what to do. */
async function prepareSchemathesis(): Promise<string> {
  const wanted = await readFile(join(folder, "requirements.txt"), "utf8");
  const stamp = join(environment, "made-for.txt");
  const made = await readFile(stamp, "utf8").catch(() => "");
  if (made !== wanted) {
    run(
      "python3",
      ["-m", "venv", "--clear", environment],
      "There is no python3 with its venv module: install Python 3.10 or later.",
    );
    const pip = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      "-r",
      join(folder, "requirements.txt"),
    ];
    run(join(environment, "bin/python"), pip, "schemathesis could not be installed from PyPI.");
    await writeFile(stamp, wanted);
  }
  return join(environment, "bin/schemathesis");
}

function run(command: string, args: string[], complaint: string): void {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (error || status !== 0) throw new Error(complaint, { cause: error });
}

/** What the requests refer to: tenants, an open ticket, and everybody's credentials. Shown to the hooks as JSON. */
async function furnish(url: string, settings: ReturnType<typeof throwawaySettings>, engine: FarEnd, desk: FarEnd) {
  const token = settings.ADMIN_TOKEN;
  fakeEngine(engine, LOGIN).contacts.set(CONTACT, { id: CONTACT, firstName: "Farhan" });
  const native = { type: "native", url: desk.url };
  const zendesk = {
    type: "zendesk",
    baseUrl: desk.url,
    appId: "a",
    keyId: "k",
    keySecret: "s",
    webhookSecret: ZENDESK_KEY,
  };
  const dolphins = { baseUrl: engine.url, auth: LOGIN };
  const register = (owner: string, to: object) => registerTenant(url, token, owner, { dolphins, desk: to });
  await Promise.all([register("spare", native), register("zendesk", zendesk)]);
  const tenant = await register(OWNER, native);
  const ingressKey = settings.INGRESS_KEYS.split("=")[1] ?? "";
  const incoming = {
    ticketNumber: TICKET,
    channel: "whatsapp",
    accountId: "1",
    contactId: CONTACT,
    messageType: "text",
    message: "Halo",
    mediaLink: "",
    customerName: "Farhan",
    createdDate: "2021-04-28T15:39:37.945",
    owner: OWNER,
  };
  await succeed("POST", `${url}/v1/dolphins/${ingressKey}/incoming`, { body: incoming });
  const signedIn = await succeed("POST", `${url}/console/session`, { body: { token } });
  return {
    url,
    operatorToken: token,
    deskToken: tenant.token,
    ingressKey,
    owner: OWNER,
    spareOwner: "spare",
    zendeskOwner: "zendesk",
    ticketNumber: TICKET,
    contactId: CONTACT,
    session: /relay_session=([^;]*)/.exec(signedIn.headers.get("set-cookie") ?? "")?.[1] ?? "",
  };
}

async function succeed(...request: Parameters<typeof call>) {
  const reply = await call(...request);
  if (reply.status !== 200)
    throw new Error(`${request[0]} ${request[1]} answered ${reply.status}: ${JSON.stringify(reply.body)}`);
  return reply;
}

const bundle = await mkdtemp(join(tmpdir(), "dolphin-relay-fuzz-"));
const stops: (() => Promise<unknown>)[] = [() => rm(bundle, { recursive: true, force: true })];
try {
  const schemathesis = await prepareSchemathesis();
  await buildRelay(bundle);
  const settings = throwawaySettings();
  const [relay, engine, desk] = await Promise.all([
    startRelay({ bundle, settings, assets: true, logs: false }),
    startFarEnd(),
    startFarEnd(),
  ]);
  stops.unshift(relay.stop, engine.close, desk.close);
  const world = await furnish(relay.url, settings, engine, desk);
  const args = [
    "--config-file",
    join(folder, "schemathesis.toml"),
    "run",
    `${relay.url}/openapi.json`,
    "--url",
    relay.url,
  ];
  const only = options.operation === undefined ? [] : ["--include-operation-id", options.operation];
  const env = {
    ...process.env,
    FUZZ_WORLD: JSON.stringify(world),
    FUZZ_OPERATOR_TOKEN: world.operatorToken,
    FUZZ_DESK_TOKEN: world.deskToken,
    FUZZ_SESSION: world.session,
    FUZZ_ZENDESK_KEY: ZENDESK_KEY,
    SCHEMATHESIS_HOOKS: "hooks",
    PYTHONPATH: folder,
  };
  const limits = ["--seed", options.seed, "--max-examples", options.examples];
  // Not spawnSync: the fake far ends are in this process, and have to answer meanwhile.
  const running = spawn(schemathesis, [...args, ...only, ...limits], { stdio: "inherit", env, cwd: bundle });
  const [status] = (await once(running, "exit")) as [number | null];
  process.exitCode = status ?? 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  for (const stop of stops) await stop();
}
