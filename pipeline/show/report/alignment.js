// What was meant above what was heard, word by word. A difference has a letter and a line of its own, not color alone.

const KINDS = {
  s: ['S', (meant, heard) => `meant ${meant}, heard ${heard}`],
  d: ['D', (meant) => `${meant} not heard`],
  i: ['I', (meant, heard) => `${heard} heard, never meant`],
};

const parts = (text, metric) => (metric === 'cer' ? [...text] : text.split(' ').filter(Boolean));

function cell(kind, meant, heard) {
  if (kind === 'e') return el('span', { class: 'cell e' }, el('span', {}, meant), el('span', { 'aria-hidden': true }, meant));
  const [letter, words] = KINDS[kind];
  return el('span', { class: `cell ${kind}`, title: words(meant, heard) },
    el('span', { class: 'hidden' }, `(${words(meant, heard)}) `),
    el('span', { 'aria-hidden': true }, meant || '–'), el('span', { 'aria-hidden': true }, heard || '–'), el('span', { class: 'letter', 'aria-hidden': true }, letter));
}

function alignment(score) {
  const cells = [];
  for (const [kind, meantText, other] of score.a || []) {
    const meant = parts(meantText, score.m);
    const heard = other === undefined ? meant : parts(other, score.m);
    for (let i = 0; i < Math.max(meant.length, heard.length); i += 1) {
      cells.push(cell(KINDS[kind] ? kind : 'e', meant[i] || '', heard[i] || ''));
      if (score.m !== 'cer') cells.push(' ');
    }
  }
  return el('div', { class: `alignment ${score.m}`, dir: 'auto' },
    el('span', { class: 'labels', 'aria-hidden': true }, el('span', {}, 'meant'), el('span', {}, 'heard')), el('div', { class: 'cells' }, cells));
}

function scoreLine(score) {
  const unit = `${UNITS[score.m] || ''}s`;
  if (score.rate === undefined) return `no rate: nothing is left of the text; ${score.n} ${unit} heard`;
  const more = [];
  if (score.syl !== undefined) more.push(`syllables ${percent(score.syl)}`);
  if (score.edge) more.push(`edge ${percent(score.edge)}`);
  return `${RATE_NAMES[score.m]} ${percent(score.rate)} (${score.n} of ${score.of} ${unit})${more.length ? `, ${more.join(', ')}` : ''}`;
}
