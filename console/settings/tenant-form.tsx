import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/call";
import type { Issue } from "../api/types";
import { asApiError } from "../lib/load";
import { ErrorNotice, Notice } from "../parts/notice";
import { useWords } from "../words/language";
import { draftOf, recordOf, sectionsOf, type Draft } from "./draft";
import { FormField } from "./field";
import type { SectionName } from "./fields";

type Props = {
  /** The record as it is; the form begins with it. */
  record: object;
  /** Puts it; what it throws is shown, beside the fields where it says which. */
  save: (record: Record<string, unknown>) => Promise<void>;
  saveLabel: string;
  /** For who may look at it alone: what could not be saved is not typed, and secrets are not there. */
  readOnly?: boolean;
  isSaved?: boolean;
  onChanged?: (isChanged: boolean) => void;
  /** Above the fields, and below those of a section. */
  children?: ComponentChildren;
  below?: (deskType: string) => Partial<Record<SectionName, ComponentChildren>>;
};

export function TenantForm({
  record,
  save,
  saveLabel,
  readOnly = false,
  isSaved = false,
  onChanged,
  children,
  below,
}: Props) {
  const words = useWords();
  const form = useRef<HTMLFormElement>(null);
  const [draft, setDraft] = useState<Draft>(() => draftOf(record));
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  const isChanged = JSON.stringify(recordOf(draft, record)) !== JSON.stringify(record);
  useEffect(() => onChanged?.(isChanged), [isChanged]);
  // As saved: secrets that were typed are *** from now on.
  useEffect(() => setDraft(draftOf(record)), [record]);
  useEffect(() => {
    // The first field that is wrong, for who does not see the form at a glance.
    if (error) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [error]);

  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await save(recordOf(draft, record));
    } catch (caught) {
      setError(asApiError(caught));
    }
    setBusy(false);
  };

  const sections = sectionsOf(draft);
  const beneath = below?.(String(draft["desk.type"])) ?? {};
  const paths = new Set<string>(sections.flatMap(({ fields }) => fields.map(({ path }) => path)));
  const problemAt = (path: string) => error?.issues.find((issue) => issue.path === path)?.message;

  return (
    <form ref={form} class="settings" onSubmit={(event) => void submit(event)}>
      {children}
      {sections.map(({ name, fields }) => (
        <fieldset key={name}>
          <legend>{words.section[name]}</legend>
          <div class="fields">
            {(readOnly ? fields.filter(({ kind }) => kind !== "secret") : fields).map((field) => (
              <FormField
                key={field.path}
                field={field}
                readOnly={readOnly}
                value={draft[field.path]}
                problem={problemAt(field.path)}
                onChange={(value) => setDraft((before) => ({ ...before, [field.path]: value }))}
              />
            ))}
          </div>
          {beneath[name]}
        </fieldset>
      ))}
      {error && <Problems error={error} elsewhere={error.issues.filter(({ path }) => !paths.has(path))} />}
      {isSaved && !isChanged && <Notice tone="good">{words.saved}</Notice>}
      {!readOnly && (
        <div class="form-actions">
          <button class="primary" disabled={isBusy}>
            {saveLabel}
          </button>
          {isChanged && <span class="muted">{words.unsaved}</span>}
        </div>
      )}
    </form>
  );
}

/** What is wrong, in all; each of the form's own fields says its part itself. */
function Problems({ error, elsewhere }: { error: ApiError; elsewhere: Issue[] }) {
  return (
    <>
      <ErrorNotice error={error} />
      {elsewhere.length > 0 && (
        <ul>
          {elsewhere.map(({ path, message }) => (
            <li key={path}>
              <code>{path}</code> {message}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
