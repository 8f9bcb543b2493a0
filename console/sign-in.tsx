import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "./api/call";
import { signIn } from "./api/relay";
import { LanguageSwitch } from "./language-switch";
import { asApiError } from "./lib/load";
import { PageHeading } from "./parts/heading";
import { ErrorNotice, Notice } from "./parts/notice";
import { useWords } from "./words/language";

type Props = { ended: boolean; refused: ApiError | undefined; onSignedIn: () => void };

/** The token goes from the field to the relay, and is kept nowhere: from then on the browser has a cookie no script can read. */
export function SignInPage({ ended, refused, onSignedIn }: Props) {
  const words = useWords();
  const field = useRef<HTMLInputElement>(null);
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  useEffect(() => field.current?.focus(), []);

  const enter = async (event: Event) => {
    event.preventDefault();
    const { current } = field;
    if (!current) return;
    setBusy(true);
    try {
      await signIn(current.value);
      current.value = "";
      onSignedIn();
    } catch (caught) {
      setError(asApiError(caught));
      setBusy(false);
      current.select();
    }
  };

  return (
    <main class="sign-in">
      <div class="sign-in-top">
        <img src="/console/icon.svg" alt="" width={40} height={40} />
        <LanguageSwitch />
      </div>
      <PageHeading title={words.signInTitle} />
      <p class="muted">{words.signInLead}</p>
      {refused && !error && <ErrorNotice error={refused} />}
      {ended && !error && <Notice tone="info">{words.sessionEnded}</Notice>}
      {error &&
        (error.code === "unauthorized" ? (
          <Notice tone="bad">{words.wrongToken}</Notice>
        ) : (
          <ErrorNotice error={error} />
        ))}
      <form onSubmit={(event) => void enter(event)}>
        <label for="token">{words.operatorToken}</label>
        <input
          id="token"
          ref={field}
          type="password"
          autocomplete="current-password"
          required
          spellcheck={false}
          aria-invalid={error?.code === "unauthorized"}
        />
        <p class="hint">{words.operatorTokenHint}</p>
        <button class="primary" disabled={isBusy}>
          {words.signIn}
        </button>
      </form>
    </main>
  );
}
