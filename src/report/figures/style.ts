/**
 * How lines are told apart: by colour (Okabe & Ito's palette, distinct for the colour-blind), by the shape of their
 * points and by their dashes, each alone being enough in black and white.
 */
export interface LineStyle {
  name: string;
  color: string;
  shape: string;
  dash: number[];
}

const black = '#000000';
const orange = '#E69F00';
const skyBlue = '#56B4E9';
const green = '#009E73';
const blue = '#0072B2';
const vermillion = '#D55E00';
const purple = '#CC79A7';

const solid = [1, 0];
const dashed = [7, 3];
const dotted = [2, 2];
const dashDot = [8, 3, 2, 3];
const shortDashed = [4, 2];

/** A normalizer looks the same in every figure. */
const byNormalizer: Record<string, Omit<LineStyle, 'name'>> = {
  BN: { color: blue, shape: 'circle', dash: solid },
  GN: { color: vermillion, shape: 'square', dash: dashed },
  LN: { color: green, shape: 'triangle-up', dash: dotted },
  IN: { color: purple, shape: 'diamond', dash: dashDot },
  'no norm': { color: black, shape: 'cross', dash: shortDashed },
};

const inTurn: Omit<LineStyle, 'name'>[] = [
  { color: black, shape: 'circle', dash: solid },
  { color: blue, shape: 'square', dash: dashed },
  { color: green, shape: 'triangle-up', dash: dashDot },
  { color: purple, shape: 'diamond', dash: shortDashed },
  { color: vermillion, shape: 'triangle-down', dash: dotted },
  { color: orange, shape: 'cross', dash: [10, 2, 2, 2, 2, 2] },
  { color: skyBlue, shape: 'triangle-right', dash: [12, 3] },
];

/** A style for each name: the normalizer's own where all are distinct normalizers, else one after the other. */
export function lineStyles(names: readonly string[]): LineStyle[] {
  const known = names.every((name) => name in byNormalizer);
  return names.map((name, index) => ({
    name,
    ...(known ? byNormalizer[name] : styleAt(index)),
  }));
}

/** Beyond the seventh, colours and shapes come again with another's dashes. */
function styleAt(index: number): Omit<LineStyle, 'name'> {
  const round = Math.floor(index / inTurn.length);
  const { dash } = inTurn[(index + round) % inTurn.length];
  return { ...inTurn[index % inTurn.length], dash };
}

/** Vega-Lite's `config`: fonts that every system has a stand-in for, thin grid, no frame. */
export const plotConfig = {
  background: 'white',
  font: 'Helvetica, Arial, "Liberation Sans", "DejaVu Sans", sans-serif',
  view: { stroke: null },
  title: {
    fontSize: 13,
    fontWeight: 'bold',
    anchor: 'start',
    subtitleFontSize: 11,
    subtitleColor: '#444',
    offset: 10,
  },
  axis: {
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 8,
    labelColor: '#222',
    titleColor: '#222',
    gridColor: '#e3e3e3',
    domainColor: '#444',
    tickColor: '#444',
  },
  legend: {
    labelFontSize: 11,
    titleFontSize: 11,
    titleFontWeight: 'normal',
    symbolSize: 70,
    symbolStrokeWidth: 1.8,
  },
} as const;
