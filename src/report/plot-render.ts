/** Figures as files: the specification, and SVG and PNG made from it without a browser. */
import type { Figure } from './plot-figures.js';
import { legendSpec } from './plot-legend.js';
import { type Panel, panelSpec, panelWidth } from './plot-panel.js';
import { plotConfig } from './plot-style.js';

const schema = 'https://vega.github.io/schema/vega-lite/v6.json';
const spacing = 32;
/** What the y axis takes beside a panel. */
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

/** One panel with its legend, for pages that lay panels out themselves. */
export function singlePanelSpec(panel: Panel): object {
  const legend = legendSpec(panel.lines, panel.legendTitle, panelWidth);
  return { $schema: schema, config: plotConfig, spacing: 16, vconcat: [panelSpec(panel), legend] };
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

/** An SVG as PNG at twice its size. */
export async function renderPng(svg: string): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  return sharp(Buffer.from(svg), { density: 144 }).png({ compressionLevel: 9 }).toBuffer();
}

/** Whether the rasterizer finds a font at all: without one it leaves every letter out. */
export async function hasFonts(): Promise<boolean> {
  const { default: sharp } = await import('sharp');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20" fill="white"/><text x="4" y="15" font-family="sans-serif" font-size="14">GN</text></svg>`;
  const { channels } = await sharp(Buffer.from(svg)).stats();
  return channels[0].min < 128;
}
