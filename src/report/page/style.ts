/** The report page's style: one column, light or dark as the reader has it, nothing loaded from anywhere. */
export const reportStyle = `
:root { color-scheme: light dark; --ink: #1b1b1b; --faint: #5c5c5c; --line: #d9d9d9; --page: #fff; --box: #f5f5f3; --ours: #0072b2; --paper: #d55e00; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e6e3; --faint: #a5a29d; --line: #3d3d3d; --page: #161616; --box: #212121; --ours: #56b4e9; --paper: #e69f00; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 66rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, Helvetica, Arial, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .6rem; }
p { margin: .5rem 0; max-width: 48rem; }
.faint, caption, figcaption { color: var(--faint); font-size: .9rem; }
.scroll { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { border-bottom: 2px solid var(--faint); font-weight: 600; }
.number { text-align: right; }
tr.ours td { font-weight: 600; }
.paper-white { background: #fff; border: 1px solid var(--line); border-radius: 6px; padding: .8rem; }
.paper-white svg { display: block; max-width: 100%; height: auto; }
.panels svg { width: 100%; max-width: 29rem; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(25rem, 100%), 1fr)); gap: 1rem; margin-bottom: .8rem; }
figure { margin: 1rem 0 2rem; }
figcaption { margin-top: .4rem; }
.interval { vertical-align: middle; }
.interval .zero { stroke: var(--faint); stroke-dasharray: 2 2; }
.interval .ours { stroke: var(--ours); stroke-width: 2; fill: var(--ours); }
.interval .paper { stroke: var(--paper); stroke-width: 1.5; fill: none; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .4rem 0; background: var(--box); }
summary { cursor: pointer; padding: .4rem .8rem; }
pre { margin: 0; padding: .6rem .8rem; overflow-x: auto; font: .82rem/1.45 ui-monospace, Consolas, "DejaVu Sans Mono", monospace; }
code { font: .9em ui-monospace, Consolas, "DejaVu Sans Mono", monospace; }
li { margin: .2rem 0; }
@media print { body { max-width: none; } details { break-inside: avoid; } }
`;
