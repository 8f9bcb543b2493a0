/** The objects that hold a tenant's logins. An owner has no control characters, so no tenant's is another's. */
export const sessionNames = (owner: string) => ({ engine: owner, desk: `${owner}\ndesk` });
