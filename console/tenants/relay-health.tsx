import { readHealth } from "../api/relay";
import { useEvery } from "../lib/every";
import { useLoad } from "../lib/load";
import { Notice } from "../parts/notice";
import { useWords } from "../words/language";

const EVERY_MS = 60_000;

/** What the relay finds wrong with itself; nothing when all is well. */
export function RelayHealth() {
  const words = useWords();
  const { data: problems = [], error, reload } = useLoad("health", readHealth);
  useEvery(EVERY_MS, reload);
  if (error && error.status !== 401) {
    return <Notice tone="bad">{words.healthUnknown}</Notice>;
  }
  if (problems.length === 0) return null;
  return (
    <Notice tone="bad">
      <p>
        <strong>{words.healthBad}</strong>
      </p>
      <ul>
        {problems.map(({ path, message }) => (
          <li key={path}>
            <code>{path}</code> {message}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
