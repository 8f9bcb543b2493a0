/** Every refusal the relay can answer with, and its HTTP status: the table under "Answers" in docs/protocol.md. */
export const STATUS = {
  invalid_json: 400,
  unauthorized: 401,
  forbidden: 403,
  https_required: 403,
  wrong_owner: 403,
  unknown_ticket: 404,
  unknown_owner: 404,
  not_found: 404,
  method_not_allowed: 405,
  ambiguous_ticket: 409,
  owner_in_use: 409,
  purging: 409,
  ticket_closed: 409,
  precondition_failed: 412,
  too_large: 413,
  unsupported_encoding: 415,
  idempotency_mismatch: 422,
  invalid_event: 422,
  invalid_request: 422,
  invalid_tenant: 422,
  upgrade_required: 426,
  backlog_full: 429,
  rate_limited: 429,
  internal: 500,
  delivery_failed: 502,
  engine_failed: 502,
  unavailable: 503,
  engine_timeout: 504,
} as const;

export type ErrorCode = keyof typeof STATUS;

/** One thing wrong with one field; `path` is dotted (`desk.url`), empty for the body as a whole. */
export type Issue = { path: string; message: string };

/**
 * A refusal on its way to the caller. `message` tells a person what to do and is sent as it stands, so it never holds a
 * secret. `detail` is for the log alone.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly issues: Issue[] | undefined;
  readonly headers: Record<string, string>;
  readonly detail: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    more: { issues?: Issue[]; headers?: Record<string, string>; detail?: string } = {},
  ) {
    super(message);
    this.code = code;
    this.issues = more.issues;
    this.headers = more.headers ?? {};
    this.detail = more.detail;
  }

  get status() {
    return STATUS[this.code];
  }

  /** Something that the relay stands on does not answer. Nothing is known to be stored, so the sender may try again. */
  static unavailable(detail: string): AppError {
    const message = "The relay could not do this just now. Send it again.";
    return new AppError("unavailable", message, { detail, headers: { "retry-after": "1" } });
  }

  /** The body of the answer. */
  toBody() {
    const { code, message, issues } = this;
    return { status: "error", error: issues ? { code, message, issues } : { code, message } };
  }
}
