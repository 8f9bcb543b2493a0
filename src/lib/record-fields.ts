import * as z from "zod/mini";

/** Fields that the records of several far ends have. `what` says what is missing where one is left out. */

const required = (what?: string) => z.string({ error: what === undefined ? "is required" : `is required: ${what}` });

export const url = (what: string) => required(what).check(z.maxLength(2048));

/** A URL that paths are appended to. */
export const baseUrl = (what: string) => url(what).check(z.overwrite((text) => text.replace(/\/+$/, "")));

export const text = (what?: string) => required(what).check(z.minLength(1, "must not be empty"), z.maxLength(1024));

export const secret = (what?: string) => required(what).check(z.minLength(1, "must not be empty"), z.maxLength(4096));
