import { objectOf, readConfig } from "../config";
import { Directory } from "../tenants/directory";

/** The directory that asks the Registrars whether KV is behind. */
export const directoryIn = (env: Env): Directory =>
  new Directory(env.DIRECTORY, (name) => objectOf(env.REGISTRAR, name, readConfig(env)));
