import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';

/** A module's path below `src/` → the paths of the modules that it imports. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** Reads the imports of every module below `root`: of values and of types, static and dynamic. */
export function readImports(root: string): Imports {
  const modules = readdirSync(root, { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('.ts'))
    .sort();
  return new Map(modules.map((path) => [path, importedBy(path, root)]));
}

function importedBy(path: string, root: string): string[] {
  const found = readFileSync(join(root, path), 'utf8').matchAll(
    /\b(?:from|import) ?\(?'(\.\.?\/[^'\n]+)\.js'/g,
  );
  const modules = [...found].map(([, target]) => `${join(dirname(path), target)}.ts`);
  return [...new Set(modules)].filter((module) => existsSync(join(root, module))).sort();
}

/** The layers that docs/layout.md lists, from the lowest to the highest. */
export const layersIn = (markdown: string): string[] =>
  [...markdown.matchAll(/^- `([a-z/-]+)`: .+\.$/gm)].map(([, name]) => name);

/** The layer that holds a module: the longest name that its path begins with. */
export function layerOf(module: string, layers: readonly string[]): string | undefined {
  const path = module.replace(/\.ts$/, '');
  return layers
    .filter((layer) => path === layer || path.startsWith(`${layer}/`))
    .sort((a, b) => b.length - a.length)[0];
}

/** Code that only tests import, and the tests themselves: they may reach up. */
export const isTestCode = (module: string): boolean =>
  module.endsWith('.test.ts') || /(^|\/)testing\//.test(module);

/** Every import from a higher layer, as `importer -> imported`. */
export function backArrows(imports: Imports, layers: readonly string[]): string[] {
  const height = (module: string) => layers.indexOf(layerOf(module, layers) ?? '');
  return [...imports]
    .filter(([importer]) => !isTestCode(importer))
    .flatMap(([importer, imported]) =>
      imported
        .filter((module) => height(module) > height(importer))
        .map((module) => `${importer} -> ${module}`),
    );
}

/** Each group of modules that reach one another by their imports, as `a, b, c`. */
export function circles(imports: Imports): string[] {
  const reached = new Map([...imports.keys()].map((module) => [module, reach(module, imports)]));
  const groups = [...imports.keys()].map((module) =>
    [...reached.get(module)!].filter((other) => reached.get(other)?.has(module)).sort(),
  );
  return [...new Set(groups.filter((group) => group.length > 0).map((group) => group.join(', ')))];
}

/** The modules that a module imports, directly or through others. */
function reach(module: string, imports: Imports): Set<string> {
  const reached = new Set<string>();
  const open = [...(imports.get(module) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    open.push(...(imports.get(next) ?? []));
  }
  return reached;
}
