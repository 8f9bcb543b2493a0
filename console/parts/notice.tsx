import type { ComponentChildren } from "preact";
import type { ApiError } from "../api/call";
import { useWords } from "../words/language";

type Tone = "good" | "warn" | "bad" | "info";

/** Something that a person should learn at once, also from a screen reader. */
export function Notice({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <div class={`notice notice-${tone}`} role={tone === "bad" ? "alert" : "status"}>
      {children}
    </div>
  );
}

/** What the relay answered, in its own words; or that it did not answer. */
export function ErrorNotice({ error, retry }: { error: ApiError; retry?: () => void }) {
  const words = useWords();
  return (
    <Notice tone="bad">
      {error.code === "forbidden" && <p>{words.forbidden}</p>}
      <p>{error.code === "unreachable" ? words.unreachable : error.message || words.failed(error.status)}</p>
      {retry && (
        <button type="button" onClick={retry}>
          {words.tryAgain}
        </button>
      )}
    </Notice>
  );
}

export function Loading() {
  return (
    <p class="muted loading" role="status">
      {useWords().loading}
    </p>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}
