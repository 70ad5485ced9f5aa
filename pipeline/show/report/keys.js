// The keyboard. Keys act where nothing that needs them has the focus.

const isField = (node) => Boolean(node.closest('input, select, textarea'));
const isControl = (node) => Boolean(node.closest('button, summary, a, [role=button], [role=slider]'));

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  ArrowRight: () => moveTo(view.turn + 1),
  ArrowLeft: () => moveTo(view.turn - 1),
  ' ': () => toggle(view.turn),
  p: () => playFrom(view.turn),
  Home: () => openAt(0),
  End: () => openAt(store.shown.length - 1),
  '/': () => byId('filters').elements.q.focus(),
  '?': () => byId('help').showModal(),
};

// Keys that move the page while the reader is above the browser.
const ELSEWHERE = new Set(['ArrowDown', 'ArrowUp', 'ArrowRight', 'ArrowLeft', ' ', 'Home', 'End']);
const inBrowser = () => byId('dialogues').contains(document.activeElement);

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId('help').open) return;
  const target = event.target instanceof Element ? event.target : document.body;
  if (event.key === 'Escape' && isField(target)) {
    byId('list').focus();
    return;
  }
  if (isField(target) || !KEYS[event.key]) return;
  if (ELSEWHERE.has(event.key) && (!inBrowser() || isControl(target))) return;
  event.preventDefault();
  KEYS[event.key]();
}
