import type * as original from "../../../src/crypto/standard-webhooks";

export * from "../../../src/crypto/standard-webhooks";
export const signatureHeaders: typeof original.signatureHeaders = async () => ({});
