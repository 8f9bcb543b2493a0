import { html } from "hono/html";
import { type Html, inline, markdown } from "./html.ts";

/** A JSON Schema as a list of fields, for people. */

export type Schema = {
  $ref?: string;
  type?: string;
  title?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
};

const REFERENCE = "#/components/schemas/";
/** What an integer may be at most in JavaScript says nothing about a field. */
const isLimit = (value: number | undefined): value is number => value !== undefined && value < Number.MAX_SAFE_INTEGER;

export function showSchema(schema: Schema): Html | Promise<Html> {
  const fields = fieldsOf(schema);
  return fields ?? html`<p>${typeOf(schema)}</p>`;
}

/** The fields of an object or of a list's elements, and what each choice asks; undefined where there is nothing to list. */
function fieldsOf(schema: Schema): Html | Promise<Html> | undefined {
  if (schema.items) return fieldsOf(schema.items);
  const choices = [schema, ...(schema.allOf ?? [])].flatMap(({ oneOf, anyOf }) => oneOf ?? anyOf ?? []);
  const shown = choices.filter((choice) => choice.properties).map(showChoice);
  if (!schema.properties) return shown.length > 0 ? html`${shown}` : undefined;
  const required = new Set(schema.required);
  const fields = Object.entries(schema.properties).map(([name, field]) =>
    showField(name, field, { isRequired: required.has(name) }),
  );
  return html`<dl>${fields}</dl>
    ${shown}`;
}

const showChoice = (choice: Schema) =>
  html`<div class="choice">
    ${choice.title === undefined ? "" : html`<p>${choice.title}:</p>`}${showSchema(choice)}
  </div>`;

/** One field, or one parameter: its name, what it may be, and what it means. */
export function showField(name: string, schema: Schema, { isRequired }: { isRequired: boolean }) {
  const { description } = schema;
  return html`<dt>
      <code>${name}</code> <span class="type">${typeOf(schema)}</span>
      ${isRequired ? html`<span class="required">required</span>` : ""}
    </dt>
    <dd>${description === undefined ? "" : markdown(description)}${fieldsOf(schema) ?? ""}</dd>`;
}

/** In one line: `text, 1 to 128 characters`. */
export function typeOf(schema: Schema): Html | Promise<Html> {
  const { $ref, items, oneOf, anyOf } = schema;
  if ($ref !== undefined) {
    const name = $ref.replace(REFERENCE, "");
    return html`<a href="/docs/schemas#${name}">${name}</a>`;
  }
  if (items) return html`list of ${typeOf(items)}`;
  const choices = oneOf ?? anyOf;
  if (choices?.every((choice) => choice.properties)) return html`one of these${inline(factsOf(schema))}`;
  if (choices) {
    return html`${choices.map((choice, index) => html`${index > 0 ? " or " : ""}${typeOf(choice)}`)}${inline(factsOf(schema))}`;
  }
  return html`${inline(`${kindOf(schema)}${factsOf(schema)}`)}`;
}

function kindOf({ type, format, const: only, enum: some }: Schema): string {
  if (only !== undefined) return code(only);
  if (some) return some.map(code).join(", ");
  return format ?? type ?? "any value";
}

function factsOf(schema: Schema): string {
  const { minLength, maxLength, minimum, exclusiveMinimum, maximum, pattern, default: byDefault } = schema;
  const least = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + 1);
  const facts = [
    range(minLength, maxLength, " characters"),
    range(least, maximum),
    pattern === undefined ? "" : `pattern ${code(pattern)}`,
    byDefault === undefined ? "" : `by default ${code(byDefault)}`,
  ].filter((fact) => fact !== "");
  return facts.map((fact) => `, ${fact}`).join("");
}

function range(least: number | undefined, most: number | undefined, unit = ""): string {
  const number = (value: number) => value.toLocaleString("en");
  if (isLimit(least) && isLimit(most)) return `${number(least)} to ${number(most)}${unit}`;
  if (isLimit(most)) return `at most ${number(most)}${unit}`;
  return isLimit(least) && least > -Number.MAX_SAFE_INTEGER ? `at least ${number(least)}${unit}` : "";
}

/** As code in Markdown, however many backticks it has itself. */
function code(value: unknown): string {
  const text = typeof value === "string" && value !== "" ? value : JSON.stringify(value);
  const fence = text.includes("`") ? "``" : "`";
  return `${fence}${text}${fence}`;
}
