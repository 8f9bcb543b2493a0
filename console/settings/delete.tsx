import { useId, useState } from "preact/hooks";
import type { ApiError } from "../api/call";
import { deleteTenant } from "../api/relay";
import { asApiError } from "../lib/load";
import { tenantsHref } from "../lib/route";
import { Dialog } from "../parts/dialog";
import { ErrorNotice, Notice } from "../parts/notice";
import { useTenant } from "../tenant/context";
import { useWords } from "../words/language";

/** Ends the tenant, once its owner has been typed: nobody does that by a slip. */
export function DeletePanel() {
  const words = useWords();
  const { tenant } = useTenant();
  const { owner } = tenant;
  const [isAsked, setAsked] = useState(false);
  const [typed, setTyped] = useState("");
  const [error, setError] = useState<ApiError>();
  const field = useId();
  const go = async (event: Event) => {
    event.preventDefault();
    if (typed.trim() !== owner) return;
    try {
      await deleteTenant(owner);
      location.hash = tenantsHref;
    } catch (caught) {
      setError(asApiError(caught));
    }
  };
  const close = () => {
    setAsked(false);
    setTyped("");
  };
  return (
    <section class="panel">
      <h3>{words.deletion.title}</h3>
      <p class="muted">{words.deletion.lead}</p>
      <button type="button" class="danger" onClick={() => setAsked(true)}>
        {words.deletion.start}
      </button>
      {isAsked && (
        <Dialog title={words.deletion.ask(tenant.name)} onClose={close}>
          <Notice tone="warn">{words.deletion.lead}</Notice>
          {error && <ErrorNotice error={error} />}
          <form onSubmit={(event) => void go(event)}>
            <label for={field}>{words.deletion.type(owner)}</label>
            <input
              id={field}
              value={typed}
              autocomplete="off"
              spellcheck={false}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
            <div class="dialog-actions">
              <button type="button" onClick={close}>
                {words.cancel}
              </button>
              <button class="danger" disabled={typed.trim() !== owner}>
                {words.deletion.go}
              </button>
            </div>
          </form>
        </Dialog>
      )}
    </section>
  );
}
