import type { Checks } from "../api/types";
import { useWords } from "../words/language";

/** What was found at a desk, and what is missing there, in the relay's own words. */
export function CheckList({ checks }: { checks: Checks }) {
  const words = useWords();
  return (
    <ul class="checks">
      {checks.map(({ name, ok, message }) => (
        <li key={name} class={ok ? "ok" : "bad"}>
          <span aria-hidden="true">{ok ? "✓" : "✗"}</span>{" "}
          <span>
            <span class="sr-only">{ok ? words.check.ok : words.check.bad}</span> <code>{name}</code> {message}
          </span>
        </li>
      ))}
    </ul>
  );
}
