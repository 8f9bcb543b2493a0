import { useId, useState } from "preact/hooks";
import { ApiError } from "../api/call";
import { putTenant, readTenant } from "../api/relay";
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
  const save = async (record: Record<string, unknown>) => {
    setProblem("");
    if (owner === "" || (await isTaken(owner))) {
      const message = owner === "" ? words.tenants.ownerMissing : words.tenants.ownerTaken;
      setProblem(message);
      throw new ApiError(422, "invalid_tenant", message);
    }
    await putTenant(owner, record);
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
