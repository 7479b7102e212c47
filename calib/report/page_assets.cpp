#include "calib/report/page_assets.h"

namespace evenkeel {

// Charts are drawn for a light ground; on a dark one they are inverted, hues kept, so that heat
// maps keep their low values near the ground. Numbers of figures are never smaller than 11 px:
// narrower than 40rem, charts scroll.
const std::string_view page_style = R"(
:root { color-scheme: light dark; --ground: #fff; --text: #1a1a1a; --rule: #ccc; --soft: #595959;
  --raised: #f4f6f8; --link: #0b57b0; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #16181b; --text: #e6e6e6; --rule: #444; --soft: #b0b0b0; --raised: #22262b;
    --link: #8ab8f5; }
  .drawing svg { filter: invert(0.92) hue-rotate(180deg); }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { background: var(--ground); color: var(--text); margin: 0 auto; max-width: 62rem;
  padding: 1rem; font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
h3 { font-size: 1.05rem; margin-top: 1.75rem; }
h2, h3 { scroll-margin-top: 0.5rem; }
a { color: var(--link); }
.lead { font-size: 1.1rem; background: var(--raised); border-left: 4px solid var(--link);
  padding: 0.6rem 0.9rem; margin: 0.75rem 0; }
nav ul { list-style: none; padding: 0; margin: 1rem 0; display: flex; flex-wrap: wrap;
  gap: 0.3rem 1.2rem; }
nav a { display: inline-block; padding: 0.25rem 0; }
.wide, .drawing { overflow-x: auto; }
table { border-collapse: separate; border-spacing: 0; font-size: 0.9rem;
  font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { padding: 0.25rem 0.7rem; border-bottom: 1px solid var(--rule); text-align: left;
  white-space: nowrap; vertical-align: top; }
th.n, td.n { text-align: right; }
th { padding: 0; vertical-align: bottom; }
th button { font: inherit; color: inherit; background: none; border: 0; cursor: pointer;
  width: 100%; text-align: inherit; padding: 0.35rem 0.7rem; min-height: 2rem; }
th button:hover { background: var(--raised); }
th button:focus-visible, a:focus-visible, summary:focus-visible { outline: 2px solid var(--link);
  outline-offset: -2px; }
th button::after { content: "\2195"; margin-left: 0.35em; color: var(--soft); opacity: 0.55; }
th[aria-sort=ascending] button::after { content: "\2191"; opacity: 1; }
th[aria-sort=descending] button::after { content: "\2193"; opacity: 1; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1rem; margin: 1rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
figure { margin: 1.25rem 0; }
.drawing svg { display: block; width: 100%; min-width: 40rem; height: auto; }
.drawing image { image-rendering: pixelated; }
figcaption { color: var(--soft); font-size: 0.9rem; }
footer { color: var(--soft); font-size: 0.85rem; margin-top: 2.5rem; }
summary { cursor: pointer; padding: 0.3rem 0; }
pre { background: var(--raised); padding: 0.75rem; overflow-x: auto; font-size: 0.85rem;
  overflow-wrap: normal; }
@media (max-width: 40rem) {
  th:first-child, td:first-child { position: sticky; left: 0; background: var(--ground);
    max-width: 45vw; z-index: 1; border-right: 1px solid var(--rule); }
  td:first-child:not(.n) { white-space: normal; min-width: 8.5rem; overflow-wrap: break-word; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.4rem; }
}
@media print {
  :root { --ground: #fff; --text: #000; --rule: #bbb; --soft: #444; --raised: #fff; --link: #000; }
  body { max-width: none; font-size: 10pt; padding: 0; }
  nav, th button::after { display: none; }
  .wide, .drawing { overflow: visible; }
  .drawing svg { filter: none; min-width: 0; }
  figure, tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
  th, td { white-space: normal; }
}
)";

const std::string_view page_script = R"(
"use strict";
const natural = new Intl.Collator("en", { numeric: true });
const textOf = (row, column) => row.cells[column].textContent.trim();
const valueOf = (text) => {
  const found = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?/i.exec(text);
  return found ? Number(found[0]) : NaN;
};
function sortBy(header) {
  const body = header.closest("table").tBodies[0];
  const column = header.cellIndex;
  const figures = header.classList.contains("n");
  const sign = header.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const rows = Array.from(body.rows, (row) => {
    const text = textOf(row, column);
    const value = figures ? valueOf(text) : NaN;
    const absent = text === "" || text === "-" || (figures && Number.isNaN(value));
    return { row, text, value, absent };
  });
  rows.sort((a, b) => {
    if (a.absent || b.absent) return Number(a.absent) - Number(b.absent);
    return sign * (figures ? a.value - b.value : natural.compare(a.text, b.text));
  });
  body.append(...rows.map((each) => each.row));
  for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
}
for (const header of document.querySelectorAll("thead th")) {
  header.querySelector("button").addEventListener("click", () => sortBy(header));
}
)";

}  // namespace evenkeel
