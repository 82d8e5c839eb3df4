import { Html } from './escape.ts';

/** The page's look, light and dark by the reader's own wish; no script, no font, no image from elsewhere. */
export const STYLE = new Html(`
:root { --text: #1f2328; --soft: #59636e; --page: #ffffff; --line: #d1d9e0; --fill: #f6f8fa; --accent: #0969da; --limit: #cf222e; --good: #1a7f37; --bad: #cf222e; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --soft: #9198a1; --page: #0d1117; --line: #3d444d; --fill: #151b23; --accent: #4493f8; --limit: #f85149; --good: #3fb950; --bad: #f85149; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 54rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
header { border: 1px solid var(--line); border-left: 6px solid var(--soft); border-radius: 6px; padding: 1rem 1.2rem; }
header.good { border-left-color: var(--good); }
header.bad { border-left-color: var(--bad); }
header > :last-child { margin-bottom: 0; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 1rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p { margin: .7rem 0; overflow-wrap: anywhere; }
a { color: var(--accent); overflow-wrap: anywhere; }
code { font: .875em ui-monospace, monospace; background: var(--fill); padding: .1em .3em; border-radius: 4px; overflow-wrap: anywhere; }
h2 code { background: none; padding: 0; }
.lead { font-size: 1.1rem; font-weight: 600; }
.todo { border-left: 4px solid var(--accent); background: var(--fill); padding: .6rem .8rem; }
.facts { color: var(--soft); font-size: .875rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .6rem; list-style: none; padding: 0; margin: 0 0 1rem; }
.figures li { border: 1px solid var(--line); border-radius: 6px; padding: .5rem .8rem; color: var(--soft); font-size: .875rem; }
.figures b { display: block; color: var(--text); font-size: 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
table code { overflow-wrap: normal; white-space: nowrap; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
.number { white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
details { margin-top: 2.5rem; }
.chart { margin: 1.2rem 0; }
.chart figcaption { font-size: .9rem; font-weight: 600; margin-bottom: .3rem; }
.chart svg { display: block; width: 100%; height: auto; background: var(--fill); border-radius: 6px; }
.grid { stroke: var(--line); stroke-width: 1; }
.tick { fill: var(--soft); font-size: 11px; }
.area { fill: var(--accent); opacity: .12; }
.line { fill: none; stroke: var(--accent); stroke-width: 2.5; stroke-linejoin: round; }
.dot { fill: var(--accent); }
.dot.out { fill: var(--limit); }
.gap { fill: var(--soft); font-size: 11px; }
.limit { stroke: var(--limit); stroke-width: 1.5; stroke-dasharray: 5 4; }
.limit-words { fill: var(--limit); font-size: 11px; }
.events { font: .85rem/1.5 ui-monospace, monospace; padding-left: 1.5rem; }
.events li { overflow-wrap: anywhere; }
.events time { color: var(--soft); }
.warning::marker { content: "! "; color: var(--limit); }
.normal::marker { content: "· "; }
@media (max-width: 30rem) {
  th, td { padding: .4rem .35rem; } td:not(.number) { overflow-wrap: anywhere; }
  table code { white-space: normal; overflow-wrap: anywhere; }
  dl { grid-template-columns: 1fr; } dt { margin-top: .5rem; }
  .tick, .limit-words, .gap { font-size: 17px; }
}
@media print { main { max-width: none; } .chart, section table { break-inside: avoid; } }
`);
