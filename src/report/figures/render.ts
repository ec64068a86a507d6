/** Figures as files: the specification, and SVG and PNG made from it without a browser. */

import { imageLibrary } from '../../datasets/image-folder/image-library.js';
import { legendSpec, legendWidth } from './legend.js';
import type { Figure } from './panel.js';
import { type Panel, panelSpec, panelWidth } from './panel.js';
import { plotConfig } from './style.js';

const schema = 'https://vega.github.io/schema/vega-lite/v6.json';
const spacing = 32;
/** The width that the y axis takes beside a panel. */
const axisWidth = 50;

/** The whole figure as one Vega-Lite specification, its data inside: any Vega-Lite viewer shows it. */
export function figureSpec({ caption, columns, panels }: Figure): object {
  const [{ lines, legendTitle }] = panels;
  const across = Math.min(columns, panels.length);
  const width = across * (panelWidth + axisWidth) + (across - 1) * spacing - axisWidth;
  return {
    $schema: schema,
    description: caption,
    config: plotConfig,
    spacing: 16,
    vconcat: [{ columns, spacing, concat: panels.map(panelSpec) }, legendSpec(lines, legendTitle, width)],
  };
}

/** The panels and the legend each on their own, for pages that lay them out themselves. */
export function figureParts({ panels }: Figure): { panels: object[]; legend: object } {
  const [{ lines, legendTitle }] = panels;
  // Wider ones take two rows; what a phone shows is scaled down a little.
  const width = Math.min(1.4 * panelWidth, legendWidth(lines, legendTitle));
  const alone = (spec: object) => ({ $schema: schema, config: plotConfig, ...spec });
  return {
    panels: panels.map((panel: Panel) => alone(panelSpec(panel))),
    legend: alone(legendSpec(lines, legendTitle, width)),
  };
}

/** A specification as SVG. The same specification gives the same bytes. */
export async function renderSvg(spec: object): Promise<string> {
  // A second and a half of loading that only figures need.
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const compiled = vegaLite.compile(spec as Parameters<typeof vegaLite.compile>[0], {
    logger: vega.logger(vega.None),
  });
  const view = new vega.View(vega.parse(compiled.spec), { renderer: 'none' });
  try {
    return `${renumberClips(await view.toSVG())}\n`;
  } finally {
    view.finalize();
  }
}

/** Vega counts clip paths on from one drawing to the next, so that the bytes would depend on what was drawn before. */
function renumberClips(svg: string): string {
  const numbers = new Map<string, number>();
  return svg.replace(/(id="|url\(#)clip(\d+)/g, (_, before, number) => {
    if (!numbers.has(number)) numbers.set(number, numbers.size + 1);
    return `${before}clip${numbers.get(number)}`;
  });
}

/** The longest side that the rasterizer draws, in pixels. */
const longestSide = 16_000;

/** An SVG as PNG at twice its size, or as large as can be. */
export async function renderPng(svg: string): Promise<Buffer> {
  const sharp = await imageLibrary();
  const [width, height] = ['width', 'height'].map((side) =>
    Number(new RegExp(`<svg[^>]* ${side}="([\\d.]+)`).exec(svg)?.[1] ?? 1),
  );
  const density = Math.min(144, 72 * Math.min(longestSide / width, longestSide / height));
  return sharp(Buffer.from(svg), { density }).png({ compressionLevel: 9 }).toBuffer();
}

/** True when the rasterizer finds a font: without one it draws the same empty box for every letter. */
export async function hasFonts(): Promise<boolean> {
  const sharp = await imageLibrary();
  const draw = (letter: string) => {
    const text = `<text x="4" y="15" font-family="sans-serif" font-size="14">${letter}</text>`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="20">${text}</svg>`;
    return sharp(Buffer.from(svg)).raw().toBuffer();
  };
  const [one, other] = await Promise.all([draw('I'), draw('W')]);
  return !one.equals(other);
}

/** Says on stderr that PNG figures have no letters on a system without fonts; SVG figures are not affected. */
export async function warnWithoutFonts(): Promise<void> {
  if (await hasFonts()) return;
  process.stderr.write(
    'warning: no font is installed, so the PNG figures have no text; the SVG ones are whole.\n' +
      '  Install any TrueType fonts, such as the package fonts-dejavu-core, and run this again.\n',
  );
}
