/**
 * How a list says where a page ended: whole numbers joined by dots, each under a name, such as `17.0.3` for a cursor of
 * three. The names fix how many there are.
 */
export function cursorOf<const Name extends string>(...names: Name[]) {
  const shape = new RegExp(`^${names.map(() => "([0-9]{1,16})").join("\\.")}$`);
  return {
    shape,
    write: (cursor: Record<Name, number>): string => names.map((name) => cursor[name]).join("."),
    /** Undefined for a text that is no such cursor. */
    read: (text: string): Record<Name, number> | undefined => {
      const found = shape.exec(text);
      if (!found) return undefined;
      return Object.fromEntries(names.map((name, at) => [name, Number(found[at + 1])])) as Record<Name, number>;
    },
  };
}
