import { html } from "hono/html";
import { type Html, inline, markdown, slugOf } from "./html.ts";
import { type Operation, showOperation } from "./operation.ts";
import { withResponses } from "../../../openapi/resolve.ts";
import { type Schema, showSchema } from "./schema.ts";

/** The pages of the API reference, made from its description. They need no script. */

export type Description = {
  info: { title: string; version: string; description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Omit<Operation, "method" | "path">>>;
  webhooks: Description["paths"];
  components: {
    schemas: Record<string, Schema>;
    securitySchemes: Record<string, { description: string }>;
  };
};

type Page = {
  slug: string;
  title: string;
  lead: string;
  content: Html | Promise<Html>;
  operations?: Operation[];
};

const WEBHOOKS = "What a desk is sent";

/** Each page under its path. */
export async function pagesOf(description: Description, guide: string): Promise<Map<string, string>> {
  const { info, tags } = description;
  const operations = operationsIn(withResponses(description).paths);
  const groups = [
    { name: WEBHOOKS, description: "What the relay posts to a native desk.", some: operationsIn(description.webhooks) },
    ...tags.map(({ name, description: lead }) => ({
      name,
      description: lead,
      some: operations.filter((operation) => operation.tags.includes(name)),
    })),
  ];
  const pages: Page[] = [
    {
      slug: "",
      title: "Guide",
      lead: info.description,
      content: markdown(guide.replace("{{outcomes}}", outcomesIn(description))),
    },
    ...groups.map(({ name, description: lead, some }) => ({
      slug: slugOf(name),
      title: name,
      lead,
      operations: some,
      content: html`${some.map((operation) => showOperation(operation, description.components.schemas))}`,
    })),
    credentialsPage(description),
    refusalsPage(operations),
    schemasPage(description),
  ];
  const shown = pages.map(async (page) => [pathOf(page), String(await showPage(page, pages, info))] as const);
  return new Map(await Promise.all(shown));
}

const operationsIn = (paths: Description["paths"]): Operation[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      Object.assign({ method: method.toUpperCase(), path }, operation),
    ),
  );

/** What a desk's answers mean, as a table in Markdown: one row for each meaning. */
function outcomesIn({ webhooks }: Description): string {
  const responses = Object.entries(webhooks["incoming"]?.["post"]?.responses ?? {});
  const single = new Set(responses.filter(([status]) => !status.endsWith("XX")).map(([status]) => status[0]));
  const name = (status: string) => (status.endsWith("XX") && single.has(status[0]) ? `any other ${status}` : status);
  const rows = [...Map.groupBy(responses, ([, { description = "" }]) => description)].map(
    ([meaning, some]) => `| ${some.map(([status]) => name(status)).join(", ")} | ${meaning} |`,
  );
  const rest = "| no answer in time, a broken connection | Tried again, the first times within seconds. |";
  return ["| your answer | means |", "| --- | --- |", ...rows, rest].join("\n");
}

const pathOf = ({ slug }: Page): string => (slug === "" ? "/docs" : `/docs/${slug}`);

const named = (name: string, content: unknown) =>
  html`<section class="named" id="${name}">
    <h2><a class="anchor" href="#${name}">${name}</a></h2>
    ${content}
  </section>`;

const credentialsPage = ({ components }: Description): Page => ({
  slug: "credentials",
  title: "Credentials",
  lead: "How a caller is known. The engine's key is none of these: it stands in the path.",
  content: html`${Object.entries(components.securitySchemes).map(([name, { description }]) =>
    named(name, markdown(description)),
  )}`,
});

const schemasPage = ({ components }: Description): Page => ({
  slug: "schemas",
  title: "Schemas",
  lead: "What the operations take and answer, by name.",
  content: html`${Object.entries(components.schemas).map(([name, schema]) =>
    named(name, html`${markdown(schema.description ?? "")}${showSchema(schema)}`),
  )}`,
});

/** Each code once, as it stands in the answers of the operations. */
function refusalsPage(operations: Operation[]): Page {
  const codes = new Map<string, { status: string; when: string; body: unknown }>();
  for (const [status, { description = "", content = {} }] of operations.flatMap(({ responses }) =>
    Object.entries(responses),
  )) {
    const examples = content["application/json"]?.examples ?? {};
    for (const [, code = "", when = ""] of description.matchAll(/^`([a-z_]+)`: (.*)$/gm)) {
      codes.set(code, { status, when, body: examples[code]?.value });
    }
  }
  const sorted = [...codes].toSorted(([, a], [, b]) => Number(a.status) - Number(b.status));
  return {
    slug: "refusals",
    title: "Refusals",
    lead: "`code` is for programs, and `message` tells a person what to do. Nothing of a refused request is stored.",
    content: html`${sorted.map(([code, { status, when, body }]) =>
      named(
        code,
        html`<p><span class="status refused">${status}</span> ${inline(when)}</p>
          <pre><code>${JSON.stringify(body, null, 2)}</code></pre>`,
      ),
    )}`,
  };
}

function showPage(page: Page, pages: Page[], { title, version }: Description["info"]) {
  const { title: heading, lead, content } = page;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="description" content="${heading}: the API reference of ${title} ${version}" />
        <title>${heading} – ${title}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/docs/docs.css" />
      </head>
      <body>
        <header>
          <a href="/docs">${title} ${version}</a>
          <a class="contents" href="#contents">Contents</a>
          <a href="/openapi.json">OpenAPI document</a>
          <a href="/console/">Console</a>
        </header>
        <main id="main">
          <h1>${heading}</h1>
          ${markdown(lead)} ${content}
        </main>
        <nav id="contents" aria-label="API reference">
          <ul>
            ${pages.map((other) => showEntry(other, page))}
          </ul>
        </nav>
      </body>
    </html> `;
}

/** A page in the list of pages; the one that is open with its operations. */
function showEntry(page: Page, open: Page) {
  const here = page === open;
  const operations = here ? (page.operations ?? []) : [];
  return html`<li>
    ${here ? html`<a href="${pathOf(page)}" aria-current="page">${page.title}</a>` : html`<a href="${pathOf(page)}">${page.title}</a>`}
    ${
      operations.length > 0
        ? html`<ul>
            ${operations.map(({ operationId, summary }) => html`<li><a href="#${operationId}">${summary}</a></li>`)}
          </ul>`
        : ""
    }
  </li>`;
}
