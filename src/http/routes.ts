import { HonoBase } from "hono/hono-base";
import { RegExpRouter } from "hono/router/reg-exp-router";
import type { AppEnv } from "./context";

/** Hono with the one router that all paths go through. Hono's own preset brings two more, which nothing would use. */
export class Routes extends HonoBase<AppEnv> {
  constructor(options: { getPath?: (request: Request) => string } = {}) {
    super({ router: new RegExpRouter(), ...options });
  }
}
