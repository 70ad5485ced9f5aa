// The head of the page: what the corpus is, and the numbers that matter first.

function drawHead(data) {
  byId('title').append(data.corpus);
  const all = data.flow.input;
  const sources = data.sources.map((one) => `${one.dataset}${one.license ? ` (${one.license})` : ''}`).join(', ');
  byId('made').append(`Recipe ${data.recipe} · seed ${data.seed} · Parley ${data.parley} · ${plural(all, 'row')} of ${sources || 'no source'}`);
}

function drawSummary(data) {
  const { input, kept } = data.flow;
  const facts = [[share(kept, input), 'kept', `${whole(kept)} of ${plural(input, 'row')}`]];
  facts.push([hours(data.seconds.kept), 'of kept speech', `${hours(data.seconds.rejected)} rejected`]);
  for (const row of data.errors.language) {
    const name = `${RATE_NAMES[row.metric]}, ${languageName(row.language)}`;
    facts.push([percent(row.after.rate, 2), name, `${percent(row.before.rate, 2)} before the gate`]);
  }
  const voices = new Set(data.voices.groups.map((group) => group.role));
  const counted = (role) => data.voices.groups.filter((g) => g.role === role).reduce((sum, g) => sum + g.voices, 0);
  if (voices.size) facts.push([whole(counted('user')), "users' voices", `${whole(counted('agent'))} of agents`]);
  if (data.cost && data.seconds.kept) {
    const spent = data.cost.stages.reduce((sum, stage) => sum + stage.seconds, 0);
    facts.push([number(spent / data.seconds.kept), 'worker-hours per kept hour', `${hours(spent)} in all`]);
  }
  byId('summary').append(
    el('dl', { class: 'facts' }, facts.map(([value, name, more]) =>
      el('div', {}, el('dd', { class: 'big' }, value), el('dt', {}, name), el('dd', { class: 'muted' }, more)))),
  );
}
