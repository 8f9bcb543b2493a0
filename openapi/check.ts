import { Ajv2020 } from "ajv/dist/2020.js";

/** Holds bodies against the document. */

type Json = Record<string, unknown>;
type Media = { schema: Json; examples?: Record<string, { value: unknown }> };
type Content = { content?: { "application/json": Media } };
type Described = {
  operationId: string;
  security?: Record<string, string[]>[];
  parameters?: { name: string; in: string; required: boolean; example?: unknown; schema: Json }[];
  requestBody?: Content;
  responses: Record<string, Content & { headers?: Json }>;
};
export type ApiDocument = Json & { paths: Record<string, Record<string, Described>>; webhooks: ApiDocument["paths"] };
export type ApiOperation = Described & { method: string; path: string };

export const operationsIn = (paths: ApiDocument["paths"]): ApiOperation[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) =>
      Object.assign({ method: method.toUpperCase(), path }, described),
    ),
  );

export const mediaOf = (place: Content | undefined): Media | undefined => place?.content?.["application/json"];

const FORMATS = {
  "date-time": (text: string) => /^\d{4}-\d\d-\d\dT.*Z$/.test(text) && !Number.isNaN(Date.parse(text)),
  // Whether the relay takes them, the relay's own tests say.
  uri: () => true,
  "time-zone": () => true,
  date: (text: string) => /^\d{4}-\d\d-\d\d$/.test(text),
};

/**
 * Gives what is wrong with a body by one of the document's schemas; empty when nothing is. `closed` takes a field that the
 * document does not name for wrong: a client may not mind one, but whoever writes the document has forgotten it.
 */
export function checkerOf(document: ApiDocument, { closed }: { closed: boolean }) {
  const ajv = new Ajv2020({ strict: false, allErrors: true, formats: FORMATS });
  const { components } = closed ? (close(document) as ApiDocument) : document;
  return (schema: Json, body: unknown): string[] => {
    const validate = ajv.compile({ ...(closed ? (close(schema) as Json) : schema), components });
    if (validate(body)) return [];
    return (validate.errors ?? []).map(
      (error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
    );
  };
}

function close(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(close);
  if (typeof value !== "object" || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, close(inner)]));
  const isOpen = copy["type"] === "object" && "properties" in copy && !("additionalProperties" in copy);
  return isOpen ? { ...copy, additionalProperties: false } : copy;
}
