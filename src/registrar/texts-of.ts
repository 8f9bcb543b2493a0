import { objectOf, readConfig, required } from "../config";
import { Directory } from "../tenants/directory";
import { Texts } from "../tenants/texts";

/** Seals and opens the texts of all tenants, with the settings and bindings of a Worker or of an object. */
export const textsOf = (env: Env): Texts =>
  new Texts({
    directory: new Directory(env.DIRECTORY),
    masterKeys: () => required(readConfig(env).masterKeys),
    registrar: (owner) => objectOf(env.REGISTRAR, `tenant:${owner}`, readConfig(env)),
  });
