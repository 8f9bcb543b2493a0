import * as z from "zod/mini";
import { done, homeAnswer, sessionAnswer, signInBody } from "./answers";
import type { Answer, Operation } from "./operation";
import { headersOf } from "./refusals";

/** Signing in to the console, and what anyone may see. */

const SESSION = { path: "/console/session", tag: "Console" };
const COOKIE = ["consoleSession"];

const open: Answer = {
  description: "The session is open, and until when.",
  schema: sessionAnswer,
  example: { status: "success", expiresAt: "2026-11-24T16:15:30.512Z" },
  headers: ["cache-control"],
};

export const browser: Operation[] = [
  {
    ...SESSION,
    id: "signIn",
    method: "post",
    summary: "Signs an operator in",
    description: "For 8 hours, or until the operator's token, role or name, or MASTER_KEY, changes.",
    security: [],
    body: { schema: signInBody, examples: { token: { token: "the-operators-token" } } },
    answer: { ...open, headers: ["set-cookie", "cache-control"] },
    refusals: ["unauthorized", "invalid_request", "rate_limited", "unavailable"],
  },
  {
    ...SESSION,
    id: "session",
    method: "get",
    summary: "Whether somebody is signed in",
    description: "Until when the session lasts, for a page that was opened again.",
    security: COOKIE,
    answer: open,
  },
  {
    ...SESSION,
    id: "signOut",
    method: "delete",
    summary: "Signs out",
    description: "At once and everywhere: a copy of the cookie is dead from then on.",
    security: COOKIE,
    answer: {
      description: "Signed out.",
      schema: done,
      example: { status: "success" },
      headers: ["set-cookie"],
    },
  },
  {
    id: "home",
    method: "get",
    path: "/",
    tag: "Open to anyone",
    summary: "Where to read on",
    description: "A browser, which asks for `text/html`, is led to the console.",
    security: [],
    answer: {
      description: "Where this reference and the console are.",
      schema: homeAnswer,
      example: { status: "success", apiReference: "/docs", openapi: "/openapi.json", console: "/console/" },
      headers: ["vary"],
    },
    otherwise: [{ status: 302, description: "To the console.", headers: ["location", "vary"] }],
  },
  {
    id: "alive",
    method: "get",
    path: "/healthz",
    tag: "Open to anyone",
    summary: "Whether the relay answers at all",
    description: "Touches no storage. `GET /admin/health` checks all that the relay needs.",
    security: [],
    answer: { description: "It does.", schema: done, example: { status: "success" } },
  },
];

/** A static asset: it refuses by itself, and the Worker's refusals are none of its own. */
export const reference = {
  get: {
    operationId: "openapi",
    tags: ["Open to anyone"],
    summary: "This document",
    description: "Read it in a browser at [/docs](/docs).",
    security: [],
    responses: {
      200: {
        description: "OpenAPI 3.1.",
        headers: headersOf(["allow"]),
        content: { "application/json": { schema: z.toJSONSchema(z.looseObject({ openapi: z.string() })) } },
      },
      405: { description: "It is there to be read alone.", headers: headersOf(["allow"]) },
    },
  },
};
