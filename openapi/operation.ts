import * as z from "zod/mini";
import { refusal } from "../src/model/answers";
import type { ErrorCode } from "../src/model/errors";
import { schemaOf, type Json } from "./components";
import { bodyOf, headersOf, HEADERS, REFUSALS, statusOf } from "./refusals";

/** One operation of the API in the few words that tell it from the others, and what OpenAPI makes of it. */

export type Operation = {
  id: string;
  method: "get" | "put" | "post" | "delete";
  path: string;
  tag: string;
  summary: string;
  description: string;
  /** Alternatives: any one of them lets the caller in. Empty: anyone may, or the path itself holds the key. */
  security: string[];
  parameters?: Parameter[];
  /** `isOptional`: without one the request means the same as with an empty object. */
  body?: { schema: z.ZodMiniType; examples: Record<string, unknown>; isOptional?: true };
  answer: Answer;
  /** What else it may answer that is no refusal. */
  otherwise?: Answer[];
  /** Beside those of every operation, of every body and of every credential. */
  refusals?: ErrorCode[];
};

export type Parameter = {
  name: string;
  in: "path" | "query" | "header";
  description: string;
  schema: z.ZodMiniType;
  required?: boolean;
  example?: unknown;
};

export type Answer = {
  status?: number;
  description: string;
  /** Left out where the answer has no JSON body. */
  schema?: z.ZodMiniType;
  example?: unknown;
  headers?: (keyof typeof HEADERS)[];
};

/** Where the rate limiter and the secrets come in. */
const OF_CREDENTIALS: ErrorCode[] = ["unauthorized", "rate_limited", "unavailable"];
/** Where roles come in. */
const OF_ROLES: ErrorCode[] = ["forbidden"];
const OF_BODIES: ErrorCode[] = ["too_large", "unsupported_encoding", "invalid_json"];
const OF_ALL: ErrorCode[] = ["https_required", "method_not_allowed", "internal"];

export function operationOf(operation: Operation): Json {
  const { id, tag, summary, description, security, parameters = [], body, refusals = [] } = operation;
  const codes = new Set([
    ...refusals,
    ...(security.includes("operatorToken") ? OF_ROLES : []),
    ...(security.length > 0 ? OF_CREDENTIALS : []),
    ...(body ? OF_BODIES : []),
    ...OF_ALL,
  ]);
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    security: security.map((scheme) => ({ [scheme]: [] })),
    ...(parameters.length > 0 ? { parameters: parameters.map(parameterOf) } : {}),
    ...(body ? { requestBody: { required: !body.isOptional, content: jsonContent(body.schema, body.examples) } } : {}),
    responses: {
      ...Object.fromEntries([operation.answer, ...(operation.otherwise ?? [])].map(answerOf)),
      ...responsesOf([...codes]),
    },
  };
}

const parameterOf = ({ schema, required, ...rest }: Parameter): Json => ({
  ...rest,
  required: required ?? rest.in === "path",
  schema: schemaOf(schema),
});

const jsonContent = (schema: z.ZodMiniType, examples: Record<string, unknown>): Json => ({
  "application/json": {
    schema: schemaOf(schema),
    examples: Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }])),
  },
});

function answerOf({ status = 200, description, schema, example, headers = [] }: Answer): [string, Json] {
  const content = schema ? { content: jsonContent(schema, { success: example }) } : {};
  return [String(status), { description, headers: headersOf(["x-request-id", ...headers]), ...content }];
}

/** One response for each status: all that has the same codes is described in one place. */
const responsesOf = (codes: ErrorCode[]): Json =>
  Object.fromEntries(
    [...Map.groupBy(codes, statusOf)]
      .toSorted(([a], [b]) => Number(a) - Number(b))
      .map(([status, some]) => [status, { $ref: `#/components/responses/${keepRefusal(some)}` }]),
  );

/** Every response that some operation refers to, under its name. Filled while the operations are described. */
export const refusalResponses: Record<string, Json> = {};

function keepRefusal(codes: ErrorCode[]): string {
  const name = codes.toSorted().join("_or_");
  refusalResponses[name] ??= refusalOf(codes);
  return name;
}

function refusalOf(codes: ErrorCode[]): Json {
  const { error } = refusal.shape;
  const schema = z.extend(refusal, { error: z.extend(error, { code: z.enum(codes) }) });
  return {
    description: codes.map((code) => `\`${code}\`: ${REFUSALS[code].when}`).join("\n\n"),
    headers: headersOf([
      ...new Set(["x-request-id" as const, ...codes.flatMap((code) => REFUSALS[code].headers ?? [])]),
    ]),
    content: jsonContent(schema, Object.fromEntries(codes.map((code) => [code, bodyOf(code)]))),
  };
}
