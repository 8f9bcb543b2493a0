import type * as original from "../../../src/http/body";

export * from "../../../src/http/body";
export const readBody: typeof original.readBody = async (request) => new Uint8Array(await request.arrayBuffer());
