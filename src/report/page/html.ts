/** Pieces of HTML as strings; every value that comes from a file passes `escapeHtml`. */
import { reportStyle } from './style.js';

/** A whole page that needs nothing else; `content` is HTML already. */
export function htmlPage(title: string, content: string): string {
  // No source of anything is allowed, so that a page from disk asks the network for nothing.
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>${reportStyle}</style>
</head>
<body>
${content}
</body>
</html>
`;
}

export function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character]);
}

/** A table in a box that scrolls by itself on a narrow screen. Cells are HTML already; `words` columns are text, the rest numbers. */
export function htmlTable(header: string[], body: string[][], words: number[]): string {
  const cell = (tag: 'th' | 'td') => (content: string, index: number) => {
    const scope = tag === 'th' ? ' scope="col"' : '';
    return `<${tag}${scope}${words.includes(index) ? '' : ' class="number"'}>${content}</${tag}>`;
  };
  const rows = body.map((cells) => `<tr>${cells.map(cell('td')).join('')}</tr>`);
  const head = `<thead><tr>${header.map(cell('th')).join('')}</tr></thead>`;
  return `<div class="scroll" tabindex="0" role="region" aria-label="table">\n<table>${head}\n<tbody>\n${rows.join('\n')}\n</tbody></table></div>`;
}

/** An SVG drawing to stand inside a page: scales down with it, and its ids do not meet another drawing's. */
export function inlineSvg(svg: string, id: string, label: string): string {
  return svg
    .trim()
    .replace(/\bid="([^"]+)"/g, `id="${id}-$1"`)
    .replace(/url\(#([^)]+)\)/g, `url(#${id}-$1)`)
    .replace(/href="#([^"]+)"/g, `href="#${id}-$1"`)
    .replace('<svg ', `<svg role="img" aria-label="${escapeHtml(label)}" `);
}

/** A difference with its interval, drawn on a scale that all rows of a table share; an end beyond the scale is an arrow. */
export function intervalBar(options: {
  published?: number;
  mean?: number;
  interval?: [number, number];
  domain: [number, number];
}): string {
  const { published, mean, interval, domain } = options;
  const [width, height, middle] = [160, 18, 9];
  const x = (value: number) => {
    const share = (value - domain[0]) / (domain[1] - domain[0]);
    return (4 + Math.min(1, Math.max(0, share)) * (width - 8)).toFixed(1);
  };
  const marks = [`<line class="zero" x1="${x(0)}" x2="${x(0)}" y1="0" y2="${height}"/>`];
  if (interval) {
    const [low, high] = interval.map(x);
    marks.push(`<line class="ours" x1="${low}" x2="${high}" y1="${middle}" y2="${middle}"/>`);
    const arrow = (at: string, back: number) =>
      marks.push(`<path class="ours" d="M${at},${middle}l${back},-4v8z"/>`);
    if (interval[0] < domain[0]) arrow(low, 5);
    if (interval[1] > domain[1]) arrow(high, -5);
  }
  if (mean !== undefined) marks.push(`<circle class="ours" cx="${x(mean)}" cy="${middle}" r="3.5"/>`);
  if (published !== undefined) {
    const at = Number(x(published));
    marks.push(`<path class="paper" d="M${at},3l4,6l-4,6l-4,-6z"/>`);
  }
  return `<svg class="interval" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" aria-hidden="true">${marks.join('')}</svg>`;
}
