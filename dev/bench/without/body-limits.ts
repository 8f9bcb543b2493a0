import type * as original from "../../../src/http/body";

export * from "../../../src/http/body";
export const readBody: typeof original.readBody = async (request) => {
  const sent = new Uint8Array(await request.arrayBuffer());
  return { sent, bytes: sent };
};
