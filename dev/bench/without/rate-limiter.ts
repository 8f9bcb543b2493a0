export * from "../../../src/http/rate";
export const withinRate = async (): Promise<void> => undefined;
