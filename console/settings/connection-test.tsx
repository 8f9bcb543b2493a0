import { useState } from "preact/hooks";
import type { ApiError } from "../api/call";
import { testConnection } from "../api/relay";
import type { ConnectionTest } from "../api/types";
import { asApiError } from "../lib/load";
import { took } from "../lib/times";
import { CheckList } from "../parts/checks";
import { LongText } from "../parts/long-text";
import { ErrorNotice, Notice } from "../parts/notice";
import { useWords } from "../words/language";

type Props = { owner: string; end: "desk" | "engine"; label: string; hint: string; disabled: boolean };

/** Tests the connection to a far end with the settings as saved, and shows its true answer. */
export function ConnectionTestButton({ owner, end, label, hint, disabled }: Props) {
  const words = useWords();
  const [result, setResult] = useState<ConnectionTest>();
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  const go = async () => {
    setBusy(true);
    setResult(undefined);
    setError(undefined);
    try {
      setResult(await testConnection(owner, end));
    } catch (caught) {
      setError(asApiError(caught));
    }
    setBusy(false);
  };
  return (
    <div class="connection-test">
      <button type="button" disabled={disabled || isBusy} onClick={() => void go()}>
        {isBusy ? words.connectionTest.going : label}
      </button>
      <span class="hint">{hint}</span>
      {error && <ErrorNotice error={error} />}
      {result && <ResultNotice result={result} />}
    </div>
  );
}

function ResultNotice({ result: { attempt, outcome, answer, checks = [] } }: { result: ConnectionTest }) {
  const words = useWords();
  const isReached = outcome === "delivered";
  const isWhole = checks.every(({ ok }) => ok);
  return (
    <Notice tone={isReached ? (isWhole ? "good" : "warn") : "bad"}>
      <p>
        <strong>
          {isReached && !isWhole ? words.connectionTest.incomplete : words.connectionTest.outcome[outcome]}
        </strong>{" "}
        {attempt.status !== undefined && `HTTP ${attempt.status} · `}
        {took(attempt.ms, words.units)}
      </p>
      {attempt.error !== undefined && <LongText text={attempt.error} class="error" />}
      {checks.length > 0 && <CheckList checks={checks} />}
      {answer !== "" && <LongText text={answer} class="quoted" />}
    </Notice>
  );
}
