// What the corpus cost, as far as its job recorded it.

function costStages(stages, spent) {
  const most = Math.max(...stages.map((stage) => stage.seconds), 1e-9);
  const rows = stages.map((stage) => [
    stage.stage, stage.pool || 'not known', hours(stage.seconds), share(stage.seconds, spent),
    svg('svg', { width: 150, height: 10, viewBox: '0 0 150 10', preserveAspectRatio: 'none', class: 'bar', 'aria-hidden': true },
      svg('rect', { width: Math.max((150 * stage.seconds) / most, 1), height: 10 })),
  ]);
  return table([['stage', ''], ['pool', 'wide'], ['time of workers', 'n'], ['share', 'n'], ['', 'picture']], rows);
}

function costPools(pools, advice) {
  if (!pools.length) return [];
  const rows = pools.map((one) => [
    el('code', {}, one.pool), whole(one.workers), share(one.busy, 1), share(one.starved, 1), share(one.held, 1), share(one.opening, 1),
    one.speed ? number(one.speed) : '–', one.gpu || '–',
  ]);
  const heads = [['pool', ''], ['workers', 'n'], ['busy', 'n'], ['without input', 'n wide'], ['held back', 'n wide'], ['loading', 'n wide'],
    ['audio seconds a second of work', 'n'], ['GPU', 'wide']];
  return [el('h3', {}, 'Pools'), table(heads, rows), ...(advice ? [el('p', {}, `${advice}.`)] : [])];
}

function costTokens(tokens, keptHours) {
  if (!tokens.length) return el('p', { class: 'muted' }, 'No language model was asked.');
  const per = (value) => (keptHours ? whole(value / keptHours) : '–');
  const rows = tokens.map((one) => [
    el('code', {}, one.model), whole(one.requests), whole(one.reused), whole(one.prompt), whole(one.cached), whole(one.completion),
    per(one.prompt + one.completion),
  ]);
  return table([['model', ''], ['requests', 'n'], ['reused answers', 'n wide'], ['prompt tokens', 'n'], ['cached', 'n wide'], ['completion tokens', 'n'], ['tokens per kept hour', 'n']], rows);
}

function drawCost(data) {
  const place = byId('cost-tables');
  const cost = data.cost;
  if (!cost) {
    place.append(el('p', {}, 'Not recorded: the corpus has no work directory beside it, where its job counted time and tokens.'));
    return;
  }
  const spent = cost.stages.reduce((sum, stage) => sum + stage.seconds, 0);
  const kept = data.seconds.kept;
  const per = kept ? `, ${number(spent / kept)} for each kept hour of speech` : '';
  const gpus = cost.gpu_hours ? cost.gpu_hours.servers + cost.gpu_hours.workers : 0;
  const eachHour = kept ? `, ${number((gpus * 3600) / kept)} for each kept hour of speech` : '';
  const held = cost.gpu_hours
    ? `${number(gpus)} GPU hours${eachHour}: ${number(cost.gpu_hours.servers)} of servers, ${number(cost.gpu_hours.workers)} of workers.`
    : 'How many CPUs and GPUs a worker held, and what they cost, is not recorded.';
  place.append(
    el('p', {}, `${hours(spent)} of workers${per}, in ${plural(cost.blocks, 'finished block')}. ${held}`),
    costStages(cost.stages, spent), ...costPools(cost.pools, cost.advice), el('h3', {}, 'Language models'), costTokens(cost.tokens, kept / 3600));
  if (cost.unread) place.append(el('p', { class: 'muted' }, `${plural(cost.unread, 'block')} could not be read and are not counted.`));
}
