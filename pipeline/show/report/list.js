// The list of dialogues: only the rows in sight exist, so that ten thousand scroll like ten.

const ITEM = 58; // pixels; the height of .item in browser.css
const BEYOND = 6; // items that exist above and below those in sight

const list = { items: new Map(), waiting: false };

function listItem(row, index) {
  const rate = rateOf(row);
  const facts = [clipped(row.l, 12), rate === undefined ? null : percent(rate), row.r, row.b ? 'borderline' : null].filter(Boolean).join(' · ');
  return el('div', {
    id: `item-${index}`, class: `item ${row.s}`, role: 'option', 'aria-selected': row === store.chosen ? 'true' : 'false',
    'aria-posinset': index + 1, 'aria-setsize': store.shown.length,
  }, el('span', { class: 'mark', 'aria-label': row.s, role: 'img', title: row.s }, STATUS_MARKS[row.s] || '?'),
  el('span', { class: 'line', dir: 'auto' }, firstText(row).slice(0, 120) || '(no text)'), el('span', { class: 'line muted' }, facts));
}

function drawList() {
  list.waiting = false;
  const place = byId('list');
  const first = Math.max(0, Math.floor(place.scrollTop / ITEM) - BEYOND);
  const end = Math.min(store.shown.length, Math.ceil((place.scrollTop + place.clientHeight) / ITEM) + BEYOND);
  for (const [index, node] of list.items) {
    if (index >= first && index < end) continue;
    node.remove();
    list.items.delete(index);
  }
  for (let index = first; index < end; index += 1) {
    if (list.items.has(index)) continue;
    const node = listItem(store.shown[index], index);
    node.style.top = `${index * ITEM}px`;
    list.items.set(index, node);
    byId('spacer').append(node);
  }
}

// After another filter: everything is drawn again.
function resetList() {
  for (const node of list.items.values()) node.remove();
  list.items.clear();
  byId('spacer').style.height = `${store.shown.length * ITEM}px`;
  const total = store.rows.length;
  byId('found').textContent = store.shown.length === total ? plural(total, 'row') : `${whole(store.shown.length)} of ${plural(total, 'row')}`;
  drawList();
}

function markChosen() {
  const index = store.shown.indexOf(store.chosen);
  for (const [at, node] of list.items) node.setAttribute('aria-selected', at === index ? 'true' : 'false');
  if (index < 0) byId('list').removeAttribute('aria-activedescendant');
  else byId('list').setAttribute('aria-activedescendant', `item-${index}`);
}

function scrollToChosen() {
  const index = store.shown.indexOf(store.chosen);
  if (index < 0) return;
  const place = byId('list');
  const top = index * ITEM;
  if (top < place.scrollTop) place.scrollTop = top;
  else if (top + ITEM > place.scrollTop + place.clientHeight) place.scrollTop = top + ITEM - place.clientHeight;
  drawList();
  markChosen();
}

function startList(open) {
  const place = byId('list');
  place.addEventListener('scroll', () => {
    if (list.waiting) return;
    list.waiting = true;
    requestAnimationFrame(drawList);
  }, { passive: true });
  place.addEventListener('click', (event) => {
    const node = event.target.closest('.item');
    if (node) open(store.shown[Number(node.id.slice(5))]);
  });
  new ResizeObserver(drawList).observe(place);
}
