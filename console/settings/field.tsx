import { useId, useState } from "preact/hooks";
import { useWords } from "../words/language";
import type { Value } from "./draft";
import type { Field } from "./fields";

type Props = {
  field: Field;
  value: Value | undefined;
  problem: string | undefined;
  readOnly: boolean;
  onChange: (value: Value) => void;
};

/** One field with its label, its hint, and what the relay found wrong with it. */
export function FormField({ field, value, problem, readOnly, onChange }: Props) {
  const words = useWords();
  const id = useId();
  const { label, hint } = words.fields[field.path];
  const described = { "aria-describedby": `${id}-hint`, "aria-invalid": problem !== undefined };
  const control = { id, disabled: readOnly, ...described };
  return (
    <div class={`field field-${field.kind}`}>
      <label for={id}>{label}</label>
      <Control field={field} value={value} label={label} control={control} onChange={onChange} />
      <p class="hint" id={`${id}-hint`}>
        {problem !== undefined && <strong class="problem">{problem}</strong>} {hint}
      </p>
    </div>
  );
}

type ControlProps = Omit<Props, "problem" | "readOnly"> & {
  label: string;
  control: { id: string; disabled: boolean; "aria-invalid": boolean };
};

function Control({ field, value, label, control, onChange }: ControlProps) {
  const words = useWords();
  const text = typeof value === "string" ? value : "";
  const onInput = (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value);
  switch (field.kind) {
    case "secret":
      return <SecretControl text={text} label={label} control={control} onInput={onInput} />;
    case "choice":
      return (
        <select {...control} value={text} onChange={onInput}>
          {[...new Set([...(field.options ?? []), text])].map((option) => (
            <option key={option} value={option}>
              {words.option(option)}
            </option>
          ))}
        </select>
      );
    case "switch":
      return (
        <input
          {...control}
          type="checkbox"
          checked={value === undefined ? field.isOn === true : value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case "number":
      return <input {...control} type="text" inputMode="numeric" value={text} onInput={onInput} />;
    case "zone":
      return (
        <>
          <input {...control} list={`${control.id}-zones`} value={text} spellcheck={false} onInput={onInput} />
          <datalist id={`${control.id}-zones`}>
            {Intl.supportedValuesOf("timeZone").map((zone) => (
              <option key={zone}>{zone}</option>
            ))}
          </datalist>
        </>
      );
    case "url":
    case "text":
      return <input {...control} type="text" value={text} spellcheck={false} autocomplete="off" onInput={onInput} />;
  }
}

type SecretProps = {
  text: string;
  label: string;
  control: ControlProps["control"];
  onInput: (event: { currentTarget: { value: string } }) => void;
};

/** `***` is what the relay shows of a secret that it has; put back as it is, it stays. */
function SecretControl({ text, label, control, onInput }: SecretProps) {
  const words = useWords();
  const [isShown, setShown] = useState(false);
  const input = {
    ...control,
    autocomplete: "new-password",
    spellcheck: false,
    value: text,
    onFocus: (event: { currentTarget: HTMLInputElement }) => event.currentTarget.select(),
    onInput,
  } as const;
  return (
    <span class="secret">
      {isShown || text === "***" ? <input type="text" {...input} /> : <input type="password" {...input} />}
      {text === "***" ? (
        <span class="badge">{words.kept}</span>
      ) : (
        <button
          type="button"
          class="quiet small"
          aria-pressed={isShown}
          aria-label={words.showWhat(label)}
          onClick={() => setShown(!isShown)}
        >
          {isShown ? words.hide : words.show}
        </button>
      )}
    </span>
  );
}
