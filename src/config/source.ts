/** Keys from the outermost mapping inwards; numbers are positions in a list. */
export type Path = readonly (string | number)[];

/** `file:line:column` of a key and of its value, or the option that they came with. */
export interface Place {
  key: string;
  value: string;
}

/** Plain data as somebody wrote it, and where every part of it stands. */
export class Source {
  constructor(
    /** Its name in errors. */
    readonly file: string,
    readonly value: unknown,
    private readonly places: Map<string, Place>,
    private readonly root: Place,
  ) {}

  /** The position of the key at this path; for a key that nobody wrote, that of the mapping that would hold it. */
  keyAt(path: Path): string {
    return this.nearest(path).key;
  }

  /** The position of the value at this path; for one that nobody wrote, the key of the mapping that would hold it. */
  valueAt(path: Path): string {
    return this.has(path) ? this.nearest(path).value : this.nearest(path).key;
  }

  has(path: Path): boolean {
    return path.length === 0 || this.places.has(JSON.stringify(path));
  }

  /** The plain value at a path; undefined where there is none. */
  get(path: Path): unknown {
    return path.reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, key)
          ? (value as Record<string | number, unknown>)[key]
          : undefined,
      this.value,
    );
  }

  /** The same data with a value put at a path, mappings made on the way. @param place where it all came from */
  with(path: Path, { value, place }: { value: unknown; place: string }): Source {
    const places = new Map(this.places);
    const prefix = JSON.stringify(path).slice(0, -1);
    for (const key of places.keys()) if (key.startsWith(`${prefix},`)) places.delete(key);
    for (const inner of pathsIn(value, path)) places.set(JSON.stringify(inner), { key: place, value: place });
    for (let depth = 1; depth < path.length; depth++) {
      const around = path.slice(0, depth);
      if (!canHold(this.get(around), path[depth]))
        places.set(JSON.stringify(around), { key: place, value: place });
    }
    const root = path.length === 0 ? { key: place, value: place } : this.root;
    return new Source(this.file, put(this.value, path, value), places, root);
  }

  /** The same data without a key. */
  without(path: Path): Source {
    const places = new Map(this.places);
    const own = JSON.stringify(path);
    for (const key of places.keys()) {
      if (key === own || key.startsWith(`${own.slice(0, -1)},`)) places.delete(key);
    }
    const holder = this.get(path.slice(0, -1));
    if (!isCollection(holder)) return this;
    const kept = Object.entries(holder).filter(([key]) => key !== path.at(-1));
    const value = put(this.value, path.slice(0, -1), mapping(kept));
    return new Source(this.file, value, places, this.root);
  }

  private nearest(path: Path): Place {
    for (let depth = path.length; depth > 0; depth--) {
      const place = this.places.get(JSON.stringify(path.slice(0, depth)));
      if (place) return place;
    }
    return this.root;
  }
}

const isCollection = (value: unknown): value is Record<string, unknown> | unknown[] =>
  typeof value === 'object' && value !== null;

/** Without a prototype, so that `__proto__` is a key like any other. */
export function mapping(entries: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const plain: Record<string, unknown> = Object.create(null);
  for (const [key, value] of entries) plain[key] = value;
  return plain;
}

/** Lists are not made longer. */
const canHold = (holder: unknown, key: string | number) =>
  Array.isArray(holder) ? typeof key === 'number' && key < holder.length : isCollection(holder);

function put(holder: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(holder) && canHold(holder, key)) {
    return holder.map((item, at) => (at === key ? put(item, rest, value) : item));
  }
  const plain = mapping(canHold(holder, key) ? Object.entries(holder as object) : []);
  plain[key] = put(plain[key], rest, value);
  return plain;
}

function pathsIn(value: unknown, path: Path): Path[] {
  if (!isCollection(value)) return [path];
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
  const inner = [...keys].flatMap((key) =>
    pathsIn((value as Record<string | number, unknown>)[key], [...path, key]),
  );
  return [path, ...inner];
}
