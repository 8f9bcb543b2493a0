/** The document with its shared responses put where they are referred to. */
export function withResponses<T>(document: T): T {
  const { responses = {} } = (document as { components?: { responses?: Record<string, unknown> } }).components ?? {};
  const visit = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map(visit);
    const [, name] = /^#\/components\/responses\/(.*)$/.exec(String((value as { $ref?: string }).$ref)) ?? [];
    if (name !== undefined) return responses[name];
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, visit(inner)]));
  };
  return visit(document) as T;
}
