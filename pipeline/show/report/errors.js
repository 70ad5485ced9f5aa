// Error rates before and after the gate: a table with a line from one to the other for each row.

function dumbbell(before, after, most) {
  const width = 110;
  const at = (rate) => 5 + (width - 10) * Math.min(rate / most, 1);
  const marks = [svg('line', { x1: 5, x2: width - 5, y1: 8, y2: 8, class: 'axis' })];
  if (before !== null && after !== null) marks.push(svg('line', { x1: at(before), x2: at(after), y1: 8, y2: 8, class: 'change' }));
  if (before !== null) marks.push(svg('circle', { cx: at(before), cy: 8, r: 4, class: 'before' }));
  if (after !== null) marks.push(svg('circle', { cx: at(after), cy: 8, r: 4, class: 'after' }));
  return svg('svg', { width, height: 16, viewBox: `0 0 ${width} 16`, class: 'dumbbell', 'aria-hidden': true }, marks);
}

function errorTable(title, named, rows, counted) {
  if (!rows.length) return null;
  const most = Math.max(0.01, ...rows.map((row) => Math.max(row.before.rate || 0, row.after.rate || 0)));
  const heads = [[title, ''], [counted[0], 'n wide'], ['before', 'n'], [counted[1], 'n wide'], ['after', 'n'], ['', 'picture']];
  const cells = rows.map((row) => [
    named(row), whole(row.before.turns), percent(row.before.rate), whole(row.after.turns),
    percent(row.after.rate), dumbbell(row.before.rate, row.after.rate, Math.min(most, 1)),
  ]);
  return table(heads, cells, { class: 'errors' });
}

function syllableRows(rows) {
  return rows.filter((row) => row.before.syllable_rate !== null || row.after.syllable_rate !== null).map((row) => ({
    ...row, syllables: true,
    before: { turns: row.before.turns, rate: row.before.syllable_rate },
    after: { turns: row.after.turns, rate: row.after.syllable_rate },
  }));
}

function drawErrors(errors) {
  const place = byId('error-tables');
  if (!errors.language.length) {
    place.append(el('p', {}, 'No take was heard and scored.'));
    return;
  }
  const language = (row) => languageName(row.language);
  const several = new Set(errors.language.map((row) => row.language)).size > 1;
  const prefix = (row) => (several ? `${clipped(row.language, 12)} ` : '');
  const turns = ['turns', 'kept'];
  const withSyllables = [...errors.language, ...syllableRows(errors.language)];
  const block = (title, node) => node && el('div', { class: 'block' }, el('h3', {}, title), node);
  place.append(
    el('p', { class: 'legend' }, el('span', { class: 'dot before' }), ' before ', el('span', { class: 'dot after' }), ' after the gate'),
    el('div', { class: 'columns' },
      block('By language', errorTable('language', (row) => `${language(row)}, ${row.syllables ? 'syllables' : RATE_NAMES[row.metric]}`, withSyllables, turns)),
      block('By attempt', errorTable('attempt', (row) => `${prefix(row)}take ${row.attempt}`, errors.attempt, ['takes', 'kept'])),
      block('By length of the text', errorTable('length', (row) => `${prefix(row)}${row.class} ${UNITS[row.metric]}s`, errors.length, turns)),
      block('By who else speaks', errorTable('turns', (row) => `${prefix(row)}${row.class}`, errors.overlap, turns))),
  );
  if (errors.unheard)
    place.append(el('p', { class: 'muted' }, `${plural(errors.unheard, 'first take')} without a score: the speech failed, its length alone showed that it is not the text, or it was not heard.`));
}
