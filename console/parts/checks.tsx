import type { Checks } from "../api/types";
import { useWords } from "../words/language";

/** What was found at a desk, and what is missing there, in the relay's own words. */
export function CheckList({ checks }: { checks: Checks }) {
  const words = useWords();
  return (
    <ul class="checks">
      {checks.map(({ name, ok, message }) => (
        <li key={name} class={ok ? "check-ok" : "check-failed"}>
          <span aria-hidden="true">{ok ? "✓" : "✕"}</span>{" "}
          <span class="sr-only">{ok ? words.connectionTest.found.yes : words.connectionTest.found.no}: </span>
          <strong>{words.connectionTest.check(name)}</strong> <span lang="en">{message}</span>
        </li>
      ))}
    </ul>
  );
}
