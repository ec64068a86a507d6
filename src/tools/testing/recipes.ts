/** The recipes of docs/extending.md, as files, edits and commands that a test carries out. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type RecipeStep =
  | { kind: 'file'; path: string; text: string }
  | { kind: 'edit'; path: string; diff: string }
  | { kind: 'commands'; text: string };

/** A section's heading → its steps, in order. A block of code is about the last file that the text before it names. */
export function readRecipes(markdown: string): Map<string, RecipeStep[]> {
  const recipes = new Map<string, RecipeStep[]>();
  for (const section of markdown.split(/^## /m).slice(1)) {
    const steps: RecipeStep[] = [];
    let path = '';
    for (const [, prose, language, code] of section.matchAll(/([\s\S]*?)^```(\w+)\n([\s\S]*?)^```$/gm)) {
      path = [...prose.matchAll(/`([\w-]+\/[\w./-]+\.\w+)`/g)].at(-1)?.[1] ?? path;
      if (language === 'sh') steps.push({ kind: 'commands', text: code });
      else if (language === 'diff') steps.push({ kind: 'edit', path, diff: code });
      else steps.push({ kind: 'file', path, text: code });
    }
    recipes.set(section.slice(0, section.indexOf('\n')), steps);
  }
  return recipes;
}

/** Writes a recipe's files into `root` and makes its edits. @throws Error where an edit has no place, or several */
export function applyRecipe(steps: readonly RecipeStep[], root: string): void {
  for (const step of steps) {
    if (step.kind === 'commands') continue;
    const path = join(root, step.path);
    if (step.kind === 'file') {
      if (existsSync(path)) throw new Error(`${step.path} is there already`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, step.text);
    } else writeFileSync(path, edited(readFileSync(path, 'utf8'), step.diff, step.path));
  }
}

/** The text after a diff of one hunk whose lines stand together. */
function edited(text: string, diff: string, path: string): string {
  const lines = diff.split('\n').slice(0, -1);
  const side = (other: string) =>
    lines
      .filter((line) => !line.startsWith(other))
      .map((line) => `${line.slice(1)}\n`)
      .join('');
  const [before, after] = [side('+'), side('-')];
  const parts = text.split(before);
  if (parts.length !== 2) {
    throw new Error(`${path} holds this ${parts.length - 1} times, not once:\n${before}`);
  }
  return parts.join(after);
}
