import { useState } from "preact/hooks";
import type { ApiError } from "../api/call";
import { readCredentials, rotateCredentials } from "../api/relay";
import type { Credentials } from "../api/types";
import { asApiError } from "../lib/load";
import { CopyButton } from "../parts/copy";
import { Dialog } from "../parts/dialog";
import { ErrorNotice, Notice } from "../parts/notice";
import { useTenant } from "../tenant/context";
import { useWords } from "../words/language";

/** The desk's token and signing secret: shown on demand, and forgotten with the dialog. */
export function CredentialsPanel() {
  const words = useWords();
  const { tenant } = useTenant();
  const { owner, deskId } = tenant;
  const [shown, setShown] = useState<Credentials>();
  const [isRotating, setRotating] = useState(false);
  const [error, setError] = useState<ApiError>();
  const fetchBy = async (read: (owner: string) => Promise<Credentials>) => {
    setError(undefined);
    setRotating(false);
    try {
      setShown(await read(owner));
    } catch (caught) {
      setError(asApiError(caught));
    }
  };
  return (
    <section class="panel">
      <h3>{words.credentials.title}</h3>
      <p class="muted">{words.credentials.lead(deskId)}</p>
      {error && <ErrorNotice error={error} />}
      <div class="form-actions">
        <button type="button" onClick={() => void fetchBy(readCredentials)}>
          {words.credentials.show}
        </button>
        <button type="button" class="danger" onClick={() => setRotating(true)}>
          {words.credentials.rotate}
        </button>
      </div>
      {shown && <ShownCredentials credentials={shown} onClose={() => setShown(undefined)} />}
      {isRotating && (
        <Dialog title={words.credentials.rotateTitle} onClose={() => setRotating(false)}>
          <Notice tone="warn">{words.credentials.rotateWarning(deskId)}</Notice>
          <div class="dialog-actions">
            <button type="button" onClick={() => setRotating(false)}>
              {words.cancel}
            </button>
            <button type="button" class="danger" onClick={() => void fetchBy(rotateCredentials)}>
              {words.credentials.rotateNow}
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

function ShownCredentials({ credentials, onClose }: { credentials: Credentials; onClose: () => void }) {
  const words = useWords();
  const rows = [
    [words.credentials.token, credentials.token],
    [words.credentials.signingSecret, credentials.signingSecret],
  ] as const;
  return (
    <Dialog title={words.credentials.title} onClose={onClose}>
      <dl class="secrets">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <code>{value}</code> <CopyButton text={value} what={name} />
            </dd>
          </div>
        ))}
      </dl>
      <p class="hint">{words.credentials.keepSafe}</p>
      <div class="dialog-actions">
        <button type="button" class="primary" onClick={onClose}>
          {words.close}
        </button>
      </div>
    </Dialog>
  );
}
