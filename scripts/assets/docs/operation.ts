import { html } from "hono/html";
import { inline, markdown } from "./html.ts";
import { type Schema, showField, showSchema, typeOf } from "./schema.ts";

/** One operation of the description, as a section of a page. */

type Example = { summary?: string; value: unknown };
type Media = { schema: Schema; examples?: Record<string, Example>; example?: unknown };
type Body = { description?: string; content?: Record<string, Media> };
export type Operation = {
  operationId: string;
  method: string;
  path: string;
  tags: string[];
  summary: string;
  description?: string;
  security?: Record<string, string[]>[];
  parameters?: { name: string; in: string; description?: string; required?: boolean; schema: Schema }[];
  requestBody?: Body;
  responses: Record<string, Body & { headers?: Record<string, { description?: string }> }>;
};

const PLACES = { path: "In the path", query: "In the query", header: "Headers", cookie: "Cookies" };

export function showOperation(operation: Operation, schemas: Record<string, Schema>) {
  const { operationId, method, path, summary, description = "", security = [], requestBody, responses } = operation;
  const schemes = security.flatMap((one) => Object.keys(one));
  return html`<section class="operation" id="${operationId}">
    <h2><a class="anchor" href="#${operationId}">${summary}</a></h2>
    <p class="route"><span class="method">${method}</span> <code>${path}</code></p>
    ${markdown(description)} ${schemes.length > 0 ? html`<p class="muted">Credential: ${linksTo(schemes)}</p>` : ""}
    ${Object.entries(PLACES).map(([place, title]) => showParameters(operation, place, title))}
    ${
      requestBody
        ? html`<h3>Body</h3>
            ${showBody(requestBody)} ${showFields(requestBody, schemas)}`
        : ""
    }
    <h3>Answers</h3>
    ${Object.entries(responses).map(([status, response]) => showResponse(status, response))}
  </section>`;
}

const linksTo = (schemes: string[]) =>
  schemes.map((scheme, index) => html`${index > 0 ? " or " : ""}<a href="/docs/credentials#${scheme}">${scheme}</a>`);

function showParameters({ parameters = [] }: Operation, place: string, title: string) {
  const some = parameters.filter((parameter) => parameter.in === place);
  if (some.length === 0) return "";
  const fields = some.map(({ name, schema, description, required = false }) =>
    showField(name, description === undefined ? schema : { ...schema, description }, { isRequired: required }),
  );
  return html`<h3>${title}</h3>
    <dl>${fields}</dl>`;
}

function showBody({ content = {} }: Body) {
  return Object.values(content).map(
    ({ schema, examples = {}, example }) => html`
      <p class="schema">${typeOf(schema)}</p>
      ${Object.entries(examples).map(([name, { value }]) => showExample(`Example: ${name}`, value))}
      ${example === undefined ? "" : showExample("Example", example)}
    `,
  );
}

/** What a caller sends is shown where it is sent, though it has a name as well. */
const showFields = ({ content = {} }: Body, schemas: Record<string, Schema>) =>
  Object.values(content).map(({ schema }) => showSchema(schemas[schema.$ref?.split("/").at(-1) ?? ""] ?? schema));

const showExample = (title: string, value: unknown) =>
  html`<details>
    <summary>${title}</summary>
    <pre><code>${typeof value === "string" ? value : JSON.stringify(value, null, 2)}</code></pre>
  </details>`;

/** A refusal looks the same everywhere, so its body is shown once, under its code. */
function showResponse(status: string, response: Operation["responses"][string]) {
  const { description = "", headers = {} } = response;
  const names = Object.keys(headers).filter((name) => name !== "x-request-id");
  const isRefusal = /^[45]\d\d$/.test(status);
  return html`<div class="answer">
    <p><span class="status ${isRefusal ? "refused" : "fine"}">${status}</span> ${inline(codesLinked(description))}</p>
    ${names.length > 0 ? html`<p class="muted">With ${names.join(", ")}</p>` : ""}
    ${isRefusal ? "" : showBody(response)}
  </div>`;
}

const codesLinked = (description: string): string =>
  description.replaceAll(/(^|\n\n)`([a-z_]+)`:/g, "$1[`$2`](/docs/refusals#$2):");
