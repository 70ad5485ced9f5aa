// The slider: what another limit would have kept, from rates that were counted when the page was made.

// Rows, seconds, edits and reference length of all rows that a limit of `step` keeps.
function keptBy(steps, step) {
  const sums = [0, 0, 0, 0];
  for (const [at, ...values] of steps) {
    if (at > step) break;
    values.forEach((value, i) => { sums[i] += value; });
  }
  return { rows: sums[0], seconds: sums[1], rate: sums[3] ? sums[2] / sums[3] : null };
}

function limitCurve(steps, most, input) {
  const [width, height] = [600, 110];
  const x = (step) => (width * step) / most;
  const y = (rows) => height - 4 - ((height - 12) * rows) / Math.max(input, 1);
  let path = `M0,${y(0)}`;
  let rows = 0;
  for (const [step, more] of steps) {
    if (step > most) break;
    path += `H${x(step)}`;
    rows += more;
    path += `V${y(rows)}`;
  }
  path += `H${width}`;
  return { x, width, height, path };
}

function limitPanel(metric, found, limits) {
  const perUnit = limits.per_unit;
  const all = keptBy(found.steps, Infinity).rows;
  const largest = found.steps.length ? found.steps[found.steps.length - 1][0] : perUnit / 10;
  const recipe = found.limit === null ? null : Math.round(found.limit * perUnit);
  // Four times the recipe's limit is far enough to look; rates beyond it are counted all the same.
  const far = Math.max(4 * (recipe || 0), perUnit / 5);
  const most = Math.max(Math.min(Math.ceil((largest * 1.1) / 100) * 100, far), 2 * (recipe || perUnit / 100));
  const name = limits.syllables && metric === 'cer' ? 'syllable rate' : RATE_NAMES[metric];
  const { x, width, height, path } = limitCurve(found.steps, most, all);
  const at = svg('line', { y1: 0, y2: height, class: 'now' });
  const told = el('output', { class: 'told' });
  const input = el('input', {
    type: 'range', min: 0, max: most, step: perUnit / 1000, value: recipe === null ? most : recipe,
    id: `limit-${metric}`, 'aria-describedby': `told-${metric}`,
  });
  told.id = `told-${metric}`;
  const base = recipe === null ? null : keptBy(found.steps, recipe);
  const show = () => {
    const step = Number(input.value);
    const now = keptBy(found.steps, step);
    input.setAttribute('aria-valuetext', percent(step / perUnit));
    at.setAttribute('x1', x(step));
    at.setAttribute('x2', x(step));
    const change = base ? now.rows - base.rows : 0;
    const changed = base ? ` (${change > 0 ? '+' : change < 0 ? '−' : '±'}${whole(Math.abs(change))})` : '';
    renew(told,
      el('strong', {}, percent(step / perUnit)), ` keeps ${plural(now.rows, 'row')}${changed}, ${hours(now.seconds)}, `,
      `${limits.syllables && metric === 'cer' ? 'CER' : name} of the kept ${percent(now.rate, 2)}`);
  };
  input.addEventListener('input', show);
  const reset = recipe === null ? null : el('button', { type: 'button', on: { click: () => { input.value = recipe; show(); } } }, `Recipe's ${percent(found.limit)}`);
  const picture = svg('svg', { viewBox: `0 0 ${width} ${height}`, class: 'curve', preserveAspectRatio: 'none', 'aria-hidden': true },
    svg('path', { d: `${path}V${height}H0Z`, class: 'under' }), svg('path', { d: path, class: 'line' }),
    recipe !== null && recipe <= most && svg('line', { x1: x(recipe), x2: x(recipe), y1: 0, y2: height, class: 'recipe' }), at);
  show();
  return el('div', { class: 'block limit' },
    el('h3', {}, el('label', { for: `limit-${metric}` }, `Limit of the ${name}`)), picture, input,
    el('p', { class: 'ends muted' }, el('span', {}, '0 %'), el('span', {}, `${percent(most / perUnit, 0)}`)),
    el('p', {}, told), reset,
    el('p', { class: 'muted' }, `${plural(all, 'row')} could be kept by some limit.`));
}

function drawLimits(limits) {
  const place = byId('limits');
  const metrics = Object.entries(limits.metrics);
  if (!metrics.length) {
    place.append(el('p', {}, 'No row was heard to the end.'));
    return;
  }
  place.append(el('div', { class: 'columns' }, metrics.map(([metric, found]) => limitPanel(metric, found, limits))));
  const kinds = [];
  if (limits.out_of_reach) kinds.push(`${plural(limits.out_of_reach, 'row')} no limit would have kept: they ended for another reason.`);
  if (metrics.some(([, found]) => found.limit === null)) kinds.push("The recipe's limit is not known: this version of Parley cannot read the recipe in the manifest.");
  if (kinds.length) place.append(el('p', { class: 'muted' }, kinds.join(' ')));
}
