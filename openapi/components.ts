import * as z from "zod/mini";

/** Schemas with a name of their own in the document, and how a zod schema becomes JSON Schema. */

const registry = z.registry<{ id: string }>();

export function named<T extends z.ZodMiniType>(id: string, schema: T): T {
  registry.add(schema, { id });
  return schema;
}

export type Json = Record<string, unknown>;

const OPTIONS = {
  // What a caller sends; of what the relay answers, a client should not mind a field it does not know.
  io: "input",
  target: "draft-2020-12",
  // A transform has no JSON Schema; what comes in before it has.
  unrepresentable: "any",
  override: ({ jsonSchema }: { jsonSchema: Json }) => {
    // No format that JSON Schema knows; the pattern beside it says the same.
    if (jsonSchema["format"] === "starts_with") delete jsonSchema["format"];
    // The other way round: a date's pattern is three lines long.
    if (typeof jsonSchema["format"] === "string") delete jsonSchema["pattern"];
  },
} as const;

/** The schema's place among the components, or the schema itself where it has no name. */
export function schemaOf(schema: z.ZodMiniType): Json {
  const id = registry.get(schema)?.id;
  if (id !== undefined) return { $ref: reference(id) };
  return withoutHead(z.toJSONSchema(schema, OPTIONS));
}

/** What zod puts at the top of a schema that stands for itself. */
function withoutHead(schema: Json): Json {
  const { $schema: _, $id: __, ...rest } = schema;
  return rest;
}

/** All that have a name. `complete` are those of answers whose defaults are filled in. */
export function componentSchemas(complete: Record<string, z.ZodMiniType>): Record<string, Json> {
  const { schemas } = z.toJSONSchema(registry, { ...OPTIONS, uri: reference });
  const filledIn = Object.entries(complete).map(([id, schema]): [string, Json] => [
    id,
    z.toJSONSchema(schema, { ...OPTIONS, io: "output" }),
  ]);
  const all: [string, Json][] = [...Object.entries(schemas), ...filledIn];
  return Object.fromEntries(all.map(([id, schema]) => [id, withoutHead(schema)]));
}

const reference = (id: string): string => `#/components/schemas/${id}`;
