// The chosen dialogue: its turns, each with its clip, its takes, and what was heard in them.

const view = { turn: 0, meanings: {} };

function takeCard(take, alone) {
  const how = [take.v, take.rate !== undefined && take.rate !== 1 ? `rate ${take.rate}` : null, take.dur ? `${take.dur.toFixed(2)} s` : 'no audio'].filter(Boolean).join(' · ');
  const verdict = take.r ? el('span', { class: 'verdict no', title: view.meanings[take.r] || null }, `✕ ${take.r}`) : el('span', { class: 'verdict yes' }, '✓ accepted');
  const hearings = (take.h || []).map((hearing) => hearingPart(hearing, take.h.length > 1));
  return el('section', { class: `take${take.f ? ' final' : ''}`, 'aria-label': `take ${take.n}` },
    el('p', { class: 'take-head' }, el('strong', {}, `Take ${take.n}`), take.f && !alone ? ' (counts)' : '', ' ', verdict, el('span', { class: 'muted how' }, how)),
    hearings, qualityPart(take.q));
}

function hearingPart(hearing, several) {
  const head = [hearing.by, several && hearing.c ? ' (decides)' : '', hearing.r && several ? `, ${hearing.r}` : ''];
  if (!hearing.e) return el('div', { class: 'hearing' }, el('p', { class: 'muted' }, head, ': ', hearing.r || 'not scored'), hearing.y && el('p', { dir: 'auto' }, hearing.y));
  return el('div', { class: 'hearing' }, alignment(hearing.e), el('p', { class: 'muted score' }, scoreLine(hearing.e), ' · ', head),
    el('details', {}, el('summary', {}, 'Transcript'), el('p', { dir: 'auto', class: 'transcript' }, hearing.y || '(nothing)')));
}

function qualityPart(quality) {
  const names = Object.keys(MEASURES).filter((name) => quality && quality[name] !== undefined);
  if (!names.length) return null;
  return el('details', {}, el('summary', {}, 'Quality'),
    el('dl', { class: 'quality' }, names.map((name) => el('div', {}, el('dt', {}, MEASURES[name][0]), el('dd', {}, number(quality[name]), ' ', MEASURES[name][1])))));
}

// What is said, and behind it what an interruption kept from being said.
function turnText(turn) {
  return el('p', { class: 'text', dir: 'auto' }, turn.x || '(empty)', turn.u && el('del', { class: 'unsaid', title: 'not said: the other one interrupted' }, turn.u));
}

function turnPart(turn, index) {
  const takes = turn.k || [];
  const original = turn.o || turn.m
    ? el('details', {}, el('summary', {}, 'Source text'), el('p', { dir: 'auto', class: 'transcript' }, turn.o || turn.x), turn.m && el('p', { dir: 'auto', class: 'transcript' }, turn.m))
    : null;
  return el('section', {
    class: `turn ${turn.role}`, id: `turn-${index}`, tabindex: -1, 'aria-label': `turn ${index + 1}, ${turn.role}`,
    on: { click: () => moveTo(index, false) },
  }, el('h4', {}, turn.role, turn.kind && el('span', { class: 'kind' }, turn.kind)), turnText(turn), turnPlayer(turn, index), original,
  takes.length > 1 && el('p', { class: 'muted' }, 'The clip is that of the take that counts; those of earlier takes are not kept.'),
  takes.length ? el('div', { class: 'takes' }, takes.map((take) => takeCard(take, takes.length === 1))) : el('p', { class: 'muted' }, 'Never spoken.'));
}

function dialogueHead(row) {
  const rates = [];
  for (const metric of ['cer', 'wer']) if (row[metric] !== undefined) rates.push(`${RATE_NAMES[metric]} ${percent(row[metric])}`);
  if (row.syl !== undefined) rates.push(`syllables ${percent(row.syl)}`);
  const meaning = view.meanings[row.r];
  return el('header', {},
    el('p', { class: 'chips' }, el('span', { class: `chip ${row.s}` }, `${STATUS_MARKS[row.s] || ''} ${row.s}`), row.r && el('span', { class: 'chip' }, row.r), row.b && el('span', { class: 'chip' }, 'borderline')),
    el('h3', {}, el('code', {}, row.id)),
    row.r && el('p', {}, meaning ? `${meaning[0].toUpperCase()}${meaning.slice(1)}.` : '', row.d && el('span', { class: 'muted' }, ` ${row.d}`)),
    el('p', { class: 'muted' }, [row.from, languageName(row.l), ...rates, row.s === 'kept' ? null : `ended at ${row.at}`].filter(Boolean).join(' · ')));
}

function drawDialogue(row) {
  const place = byId('dialogue');
  stop();
  player.turns = [];
  view.turn = 0;
  if (!row) {
    renew(place, el('p', { class: 'muted empty' }, 'No dialogue is like that. Clear a filter.'));
    return;
  }
  renew(place,
    el('div', { class: 'steps' },
      el('button', { type: 'button', class: 'back', on: { click: leaveDialogue } }, '↑ List'),
      el('button', { type: 'button', on: { click: () => step(-1) } }, '‹ Previous'), el('button', { type: 'button', on: { click: () => step(1) } }, 'Next ›'),
      row.t.some((turn) => turn.clip) && el('button', { type: 'button', id: 'play-all', on: { click: () => playFrom(0) } }, '▶ Play all')),
    dialogueHead(row), row.tl && timelinePart(row.tl, (index) => moveTo(index)), row.t.map(turnPart),
    el('p', { class: 'muted key' }, 'S: another word or character was heard · D: it was not heard · I: it was heard and never meant'));
  place.scrollTop = 0;
  moveTo(0, false);
}

function leaveDialogue() {
  byId('filters').scrollIntoView();
  byId('list').focus({ preventScroll: true });
}

function moveTo(index, focus = true) {
  const turns = document.querySelectorAll('.turn');
  if (!turns[index]) return;
  view.turn = index;
  turns.forEach((node, at) => node.classList.toggle('current', at === index));
  if (!focus) return;
  turns[index].focus({ preventScroll: true });
  turns[index].scrollIntoView({ block: 'nearest' });
}

function playFrom(index) {
  const first = player.turns.findIndex((entry, at) => at >= index && entry.clip);
  if (first < 0) return;
  moveTo(first);
  play(first, true);
}
