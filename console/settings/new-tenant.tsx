import { useId, useState } from "preact/hooks";
import { ApiError } from "../api/call";
import { connectChatwoot, putTenant, readTenant } from "../api/relay";
import { tenantHref, tenantsHref } from "../lib/route";
import { PageHeading } from "../parts/heading";
import { useWords } from "../words/language";
import { NEW_RECORD } from "./fields";
import { TenantForm } from "./tenant-form";

export function NewTenantPage() {
  const words = useWords();
  const id = useId();
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const owner = text.trim();
  // Once the record is put, the form may go on failing at Chatwoot: the owner is its own then.
  const [made, setMade] = useState("");
  const save = async (record: Record<string, unknown>) => {
    setProblem("");
    if (owner === "" || (owner !== made && (await isTaken(owner)))) {
      const message = owner === "" ? words.tenants.ownerMissing : words.tenants.ownerTaken;
      setProblem(message);
      throw new ApiError(422, "invalid_tenant", message);
    }
    const connection = connectionIn(record);
    await putTenant(owner, connection ? { ...record, desk: UNTIL_CONNECTED } : record);
    setMade(owner);
    if (connection) await connect(owner, connection);
    location.hash = tenantHref(owner, "settings");
  };
  return (
    <>
      <nav class="crumbs" aria-label={words.crumbs}>
        <a href={tenantsHref}>{words.tenants.title}</a>
      </nav>
      <PageHeading title={words.tenants.add} />
      <TenantForm record={NEW_RECORD} save={save} saveLabel={words.tenants.create}>
        <div class="field owner">
          <label for={id}>{words.owner}</label>
          <input
            id={id}
            value={text}
            maxLength={128}
            spellcheck={false}
            autocomplete="off"
            aria-invalid={problem !== ""}
            aria-describedby={`${id}-hint`}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <p class="hint" id={`${id}-hint`}>
            {problem !== "" && <strong class="problem">{problem}</strong>} {words.tenants.ownerHint}
          </p>
        </div>
      </TenantForm>
    </>
  );
}

/** Connecting is for a tenant that is there. Nobody has this host, so that what comes meanwhile waits. */
const UNTIL_CONNECTED = { type: "native", url: "https://not-connected-yet.example/" };

/** What Chatwoot is connected with, where the form says nothing of an inbox. */
function connectionIn({ desk }: Record<string, unknown>): Record<string, unknown> | undefined {
  const { type, baseUrl, accountId, apiAccessToken, inboxId, webhookSecret } = desk as Record<string, unknown>;
  const isToConnect = type === "chatwoot" && inboxId === undefined && !webhookSecret;
  return isToConnect ? { baseUrl, accountId, accessToken: apiAccessToken } : undefined;
}

/** Throws what is wrong under the names that the form has. */
async function connect(owner: string, connection: Record<string, unknown>): Promise<void> {
  try {
    await connectChatwoot(owner, connection);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const issues = error.issues.map(({ path, message }) => ({
      path: path === "accessToken" ? "desk.apiAccessToken" : `desk.${path}`,
      message,
    }));
    throw new ApiError(error.status, error.code, error.message, issues);
  }
}

/** Putting a record would change the tenant that there is. */
async function isTaken(owner: string): Promise<boolean> {
  try {
    await readTenant(owner);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === "unknown_owner") return false;
    throw error;
  }
}
