// The rows in the page, and which of them the filters leave.

const store = { rows: [], shown: [], chosen: null, texts: null };

const firstText = (row) => (row.t.length ? row.t[0].x || '' : '');
const rateOf = (row) => (row.cer !== undefined ? row.cer : row.wer);
const voicesOf = (row) => new Set(row.t.flatMap((turn) => (turn.k || []).map((take) => take.v)));
const takesOf = (row) => Math.max(0, ...row.t.map((turn) => (turn.k || []).length));

// All words of a row in lower case, made when somebody first searches.
function searchText(row) {
  const parts = [row.id, row.from, row.d || '', ...voicesOf(row)];
  for (const turn of row.t) {
    parts.push(turn.x || '', turn.o || '', turn.m || '');
    for (const take of turn.k || []) for (const hearing of take.h || []) parts.push(hearing.y || '');
  }
  return parts.join('\n').toLocaleLowerCase();
}

const ORDERS = {
  corpus: ['corpus order', (row) => row.place],
  worst: ['worst first', (row) => -(rateOf(row) ?? -1)],
  limit: ['nearest limit', (row) => row.distance],
  longest: ['longest', (row) => -row.t.reduce((sum, turn) => sum + (lastTake(turn)?.dur || 0), 0)],
};

const lastTake = (turn) => (turn.k || []).find((take) => take.f);

const CHECKS = {
  b: ['borderline', (row) => row.b],
  again: ['spoken again', (row) => takesOf(row) > 1],
  two: ['second opinion', (row) => row.t.some((turn) => (turn.k || []).some((take) => (take.h || []).length > 1))],
};

function readRows(limits) {
  store.rows = readJson('rows');
  store.rows.forEach((row, place) => {
    row.place = place;
    const metric = row.cer !== undefined ? 'cer' : 'wer';
    const limit = limits.metrics[metric]?.limit;
    row.distance = limit === undefined || limit === null || row.lim === undefined ? Infinity : Math.abs(row.lim - limit);
  });
}

function matches(row, wanted) {
  if (wanted.status && row.s !== wanted.status) return false;
  if (wanted.reason && row.r !== wanted.reason) return false;
  if (wanted.language && row.l !== wanted.language) return false;
  if (wanted.voice && !voicesOf(row).has(wanted.voice)) return false;
  for (const [name, [, holds]] of Object.entries(CHECKS)) if (wanted[name] && !holds(row)) return false;
  return wanted.words.every((word) => store.texts[row.place].includes(word));
}

function choose(wanted) {
  if (wanted.words.length && !store.texts) store.texts = store.rows.map(searchText);
  const key = ORDERS[wanted.order][1];
  const found = store.rows.filter((row) => matches(row, wanted));
  store.shown = wanted.order === 'corpus' ? found : found.map((row) => [key(row), row]).sort((a, b) => a[0] - b[0] || a[1].place - b[1].place).map((pair) => pair[1]);
}

// Counts of the values of one key over all rows, most first.
function countsOf(values) {
  const counts = new Map();
  for (const value of values) if (value) counts.set(value, (counts.get(value) || 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function picker(name, label, counts) {
  const options = counts.map(([value, count]) => el('option', { value }, `${value} (${whole(count)})`));
  return el('label', {}, el('span', {}, label), el('select', { name }, el('option', { value: '' }, 'all'), options));
}

function drawFilters(changed) {
  const form = byId('filters');
  const rows = store.rows;
  const voices = countsOf(rows.flatMap((row) => [...voicesOf(row)]));
  form.append(
    el('label', { class: 'search' }, el('span', {}, 'Search'), el('input', { type: 'search', name: 'q', placeholder: 'words, id, voice', autocomplete: 'off', spellcheck: 'false' })),
    picker('status', 'Status', countsOf(rows.map((row) => row.s))),
    picker('reason', 'Reason', countsOf(rows.map((row) => row.r))),
    picker('language', 'Language', countsOf(rows.map((row) => row.l))),
    el('label', {}, el('span', {}, 'Voice'), el('input', { name: 'voice', list: 'all-voices', placeholder: 'all', autocomplete: 'off' })),
    el('datalist', { id: 'all-voices' }, voices.slice(0, 1000).map(([value]) => el('option', { value }))),
    el('label', {}, el('span', {}, 'Order'), el('select', { name: 'order' }, Object.entries(ORDERS).map(([value, [text]]) => el('option', { value }, text)))),
    el('fieldset', {}, el('legend', { class: 'hidden' }, 'Only rows that are'), Object.entries(CHECKS).map(([name, [text]]) => {
      const count = rows.filter(CHECKS[name][1]).length;
      return count ? el('label', { class: 'check' }, el('input', { type: 'checkbox', name }), ` ${text} (${whole(count)})`) : null;
    })),
    el('button', { type: 'reset' }, 'Clear'),
  );
  let waiting = 0;
  const later = () => { clearTimeout(waiting); waiting = setTimeout(changed, 80); };
  form.addEventListener('input', later);
  form.addEventListener('reset', later);
  form.addEventListener('submit', (event) => { event.preventDefault(); changed(); });
}

function wantedNow() {
  const data = new FormData(byId('filters'));
  const wanted = Object.fromEntries(data);
  return { ...wanted, words: (wanted.q || '').toLocaleLowerCase().split(/\s+/).filter(Boolean) };
}
