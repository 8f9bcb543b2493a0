import { useState } from "preact/hooks";
import type { Attempt } from "../api/types";
import { took } from "../lib/times";
import { LongText } from "../parts/long-text";
import { Time } from "../parts/time";
import { useWords } from "../words/language";

/** Shown at first: the newest say how it stands now. */
const NEWEST = 3;

export function Attempts({ attempts }: { attempts: Attempt[] }) {
  const words = useWords();
  const [all, setAll] = useState(false);
  const [only] = attempts;
  if (!only) return <p class="muted small">{words.attempt.none}</p>;
  // The ordinary case is one line, not a table.
  if (attempts.length === 1 && only.error === undefined) {
    return (
      <p class="attempt-line small muted">
        <StatusMark attempt={only} /> <Time at={only.at} /> · {took(only.ms, words.units)}
      </p>
    );
  }
  const shown = all ? attempts : attempts.slice(-NEWEST);
  return (
    <>
      {shown.length < attempts.length && (
        <button type="button" class="quiet small" onClick={() => setAll(true)}>
          {words.attempt.earlier(attempts.length - shown.length)}
        </button>
      )}
      <table class="attempts">
        <caption class="sr-only">{words.attempt.title}</caption>
        <thead class="sr-only">
          <tr>
            <th scope="col">{words.attempt.at}</th>
            <th scope="col">{words.attempt.status}</th>
            <th scope="col">{words.attempt.took}</th>
            <th scope="col">{words.attempt.answer}</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((attempt) => (
            <tr key={attempt.at}>
              <td>
                <Time at={attempt.at} />
              </td>
              <td>
                <StatusMark attempt={attempt} />
              </td>
              <td>{took(attempt.ms, words.units)}</td>
              <td class="answer">{attempt.error !== undefined && <LongText text={attempt.error} class="error" />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function StatusMark({ attempt: { status, error } }: { attempt: Attempt }) {
  const words = useWords();
  return (
    <span class={`status ${error === undefined ? "status-good" : "status-bad"}`}>
      {status ?? words.attempt.noAnswer}
    </span>
  );
}
