/** Files and folders that a listing of images leaves out: counted by kind, and said once. */
export class PassedOver {
  readonly #kinds = new Map<string, { count: number; example: string }>();

  /** @param kind in the singular: `hidden file` */
  add(kind: string, path: string): void {
    const known = this.#kinds.get(kind);
    if (known) known.count++;
    else this.#kinds.set(kind, { count: 1, example: path });
  }

  /** All of it in one line, the most frequent kind first; empty when there is nothing. */
  get text(): string {
    return [...this.#kinds]
      .sort(([, a], [, b]) => b.count - a.count)
      .map(([kind, { count, example }]) => `${count} × ${kind} (${example})`)
      .join(', ');
  }
}
