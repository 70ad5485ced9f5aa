// The few functions by which the page is built. Texts become text nodes, never markup.

const byId = (id) => document.getElementById(id);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'on') for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) =>
  fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

function renew(node, ...children) {
  node.replaceChildren();
  return fill(node, {}, children);
}

// Where numbers are written, they are written like this: English, with a fixed number of digits.
const whole = (value) => Math.round(value).toLocaleString('en-US');
const percent = (value, digits = 1) => (value === null || value === undefined ? '–' : `${(100 * value).toFixed(digits)} %`);
const share = (part, all) => (all ? percent(part / all, part && part / all < 0.1 ? 1 : 0) : '–');
const plural = (number, thing) => `${whole(number)} ${thing}${number === 1 ? '' : 's'}`;

function hours(seconds) {
  if (!seconds) return '0 s';
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${(seconds / 60).toFixed(1)} min`;
  return `${(seconds / 3600).toLocaleString('en-US', { maximumFractionDigits: seconds < 36000 ? 2 : 1 })} h`;
}

function number(value) {
  if (value === null || value === undefined) return '–';
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2).replace('-', '−');
}

const RATE_NAMES = { cer: 'CER', wer: 'WER' };
const UNITS = { cer: 'character', wer: 'word' };
const STATUS_MARKS = { kept: '●', rejected: '✕', failed: '▲' };

const clipped = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

function languageName(tag) {
  try {
    return new Intl.DisplayNames(['en'], { type: 'language' }).of(tag) || tag;
  } catch {
    return clipped(tag, 24);
  }
}

// A table: `heads` are [text, class], cells are texts or nodes.
function table(heads, rows, attributes) {
  const head = el('tr', {}, heads.map(([text, kind]) => el('th', { class: kind, scope: 'col' }, text)));
  const body = rows.map((cells) => el('tr', {}, cells.map((cell, i) => el('td', { class: heads[i][1] }, cell))));
  return el('div', { class: 'scroll' }, el('table', attributes, el('thead', {}, head), el('tbody', {}, body)));
}

const readJson = (id) => JSON.parse(byId(id).textContent);
