import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { ApiError } from "../api/call";
import { connectChatwoot } from "../api/relay";
import type { Checks, Tenant } from "../api/types";
import { asApiError } from "../lib/load";
import { CheckList } from "../parts/checks";
import { Dialog } from "../parts/dialog";
import { ErrorNotice, Notice } from "../parts/notice";
import { useWords } from "../words/language";

type Name = "baseUrl" | "accountId" | "accessToken" | "agentToken" | "inboxName";
type Given = Record<Name, string>;

type Props = { tenant: Tenant; onConnected: (tenant: Tenant) => void; onClose: () => void };

/** Has the relay set up an account of Chatwoot, with tokens that are forgotten with the dialog. */
export function ConnectChatwoot({ tenant, onConnected, onClose }: Props) {
  const words = useWords();
  const form = useRef<HTMLFormElement>(null);
  const [given, setGiven] = useState<Given>(() => ({
    ...knownOf(tenant),
    accessToken: "",
    agentToken: "",
    inboxName: "",
  }));
  const [checks, setChecks] = useState<Checks>();
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [error]);

  const go = async (event: Event) => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      const filled = Object.entries(given).flatMap(([name, text]) => (text.trim() === "" ? [] : [[name, text.trim()]]));
      const connected = await connectChatwoot(tenant.owner, Object.fromEntries(filled));
      onConnected(connected.tenant);
      setChecks(connected.checks);
    } catch (caught) {
      setError(asApiError(caught));
    }
    setBusy(false);
  };

  if (checks) {
    return (
      <Dialog key="done" title={words.connect.title} onClose={onClose}>
        <Notice tone="good">{words.connect.done}</Notice>
        <CheckList checks={checks} />
        <div class="dialog-actions">
          <button type="button" class="primary" onClick={onClose}>
            {words.close}
          </button>
        </div>
      </Dialog>
    );
  }
  const fields: { name: Name; label: string; hint: string; isSecret?: boolean }[] = [
    { name: "baseUrl", ...words.fields["desk.baseUrl"] },
    { name: "accountId", ...words.fields["desk.accountId"] },
    { name: "accessToken", label: words.connect.accessToken, hint: words.connect.accessTokenHint, isSecret: true },
    { name: "agentToken", label: words.connect.agentToken, hint: words.connect.agentTokenHint, isSecret: true },
    { name: "inboxName", label: words.connect.inboxName, hint: words.connect.inboxNameHint },
  ];
  return (
    <Dialog title={words.connect.title} onClose={onClose}>
      <p class="muted">{words.connect.lead}</p>
      <form ref={form} onSubmit={(event) => void go(event)}>
        <div class="fields">
          {fields.map(({ name, ...field }) => (
            <GivenField
              key={name}
              {...field}
              value={given[name]}
              problem={error?.issues.find(({ path }) => path === name)?.message}
              onInput={(text) => setGiven((before) => ({ ...before, [name]: text }))}
            />
          ))}
        </div>
        {error && <ErrorNotice error={error} />}
        {isBusy && <Notice tone="info">{words.connect.going}</Notice>}
        <div class="dialog-actions">
          <button type="button" onClick={onClose}>
            {words.cancel}
          </button>
          <button class="primary" disabled={isBusy}>
            {words.connect.go}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What the record says already of a Chatwoot. */
function knownOf({ desk }: Tenant): Pick<Given, "baseUrl" | "accountId"> {
  const text = (value: unknown) => (typeof value === "string" || typeof value === "number" ? String(value) : "");
  return desk.type === "chatwoot"
    ? { baseUrl: text(desk["baseUrl"]), accountId: text(desk["accountId"]) }
    : { baseUrl: "", accountId: "" };
}

type FieldProps = {
  label: string;
  hint: string;
  isSecret?: boolean;
  value: string;
  problem: string | undefined;
  onInput: (text: string) => void;
};

function GivenField({ label, hint, isSecret = false, value, problem, onInput }: FieldProps) {
  const id = useId();
  const input = {
    id,
    value,
    spellcheck: false,
    "aria-describedby": `${id}-hint`,
    "aria-invalid": problem !== undefined,
    onInput: (event: { currentTarget: HTMLInputElement }) => onInput(event.currentTarget.value),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {isSecret ? (
        <input type="password" autocomplete="new-password" {...input} />
      ) : (
        <input type="text" autocomplete="off" {...input} />
      )}
      <p class="hint" id={`${id}-hint`}>
        {problem !== undefined && <strong class="problem">{problem}</strong>} {hint}
      </p>
    </div>
  );
}
