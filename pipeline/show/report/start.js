// Puts the parts together.

function open(row, remember = true) {
  store.chosen = row;
  drawDialogue(row);
  scrollToChosen();
  markChosen();
  if (remember && row) {
    try {
      history.replaceState(null, '', `#row=${encodeURIComponent(row.id)}`);
    } catch {
      // Pages from disk may not change their address in every browser.
    }
  }
}

function openAt(index) {
  if (!store.shown.length) return;
  open(store.shown[Math.min(Math.max(index, 0), store.shown.length - 1)]);
  if (!inBrowser()) byId('dialogues').scrollIntoView();
  if (!byId('dialogue').contains(document.activeElement) || document.activeElement === byId('dialogue')) byId('list').focus({ preventScroll: true });
}

const step = (by) => openAt(store.shown.indexOf(store.chosen) + by);

function changed() {
  choose(wantedNow());
  byId('list').scrollTop = 0;
  resetList();
  if (!store.shown.includes(store.chosen)) open(store.shown[0] || null, false);
  else scrollToChosen();
}

function showReason(leaf) {
  const form = byId('filters');
  form.reset();
  form.elements.status.value = leaf.status;
  form.elements.reason.value = leaf.status === 'kept' ? '' : leaf.name;
  changed();
  byId('dialogues').scrollIntoView();
  byId('list').focus({ preventScroll: true });
}

function startTheme() {
  const dark = () => (document.documentElement.dataset.theme || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  const name = () => { byId('theme').textContent = dark() ? 'Light' : 'Dark'; };
  byId('theme').addEventListener('click', () => {
    document.documentElement.dataset.theme = dark() ? 'light' : 'dark';
    name();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', name);
  name();
}

function sampleText(data) {
  const clips = { beside: ' Their clips lie in the folder beside this page.', inside: ' Their clips are inside this page.', none: ' Their clips were left out.' }[data.clips];
  const all = data.flow.input;
  if (store.rows.length >= all) return `All ${plural(all, 'row')}.${clips}`;
  return `A sample of ${whole(store.rows.length)} of ${plural(all, 'row')}, in which borderline rows and each reason have their share; the numbers above are those of all rows.${clips}`;
}

function drawMade(data) {
  const rows = Object.entries(data.engines).map(([name, version]) => [el('code', {}, name), version]);
  byId('summary').append(el('details', {}, el('summary', {}, 'Made with'), table([['engine', ''], ['version', '']], rows)));
}

function start() {
  const data = readJson('data');
  for (const stage of data.flow.stages) for (const reason of stage.reasons) view.meanings[reason.reason] = reason.meaning;
  Object.assign(view.meanings, data.meanings);
  startTheme();
  drawHead(data);
  drawSummary(data);
  drawMade(data);
  drawReasons(data.flow);
  drawErrors(data.errors);
  drawLimits(data.limits);
  drawHours(data);
  drawMeasures(data.sound);
  drawTiming(data.timing);
  drawVoices(data.voices);
  drawCost(data);
  let width = 0;
  new ResizeObserver(() => {
    if (byId('flow').clientWidth === width) return;
    width = byId('flow').clientWidth;
    drawFlow(data.flow, showReason);
  }).observe(byId('flow'));
  readRows(data.limits);
  byId('sampled').textContent = sampleText(data);
  drawFilters(changed);
  startList((row) => { open(row); byId('list').focus({ preventScroll: true }); });
  startPlayer(moveTo);
  choose(wantedNow());
  resetList();
  const named = location.hash.startsWith('#row=') ? decodeURIComponent(location.hash.slice(5)) : null;
  open(store.rows.find((row) => row.id === named) || store.shown[0] || null, false);
  if (named) byId('dialogues').scrollIntoView();
  document.addEventListener('keydown', pressed);
  byId('help-button').addEventListener('click', () => byId('help').showModal());
}

start();
