// When the speakers speak: offsets at changes of speakers, overlaps, backchannels, interruptions.

const seconds = (value) => (value === undefined || value === null ? '–' : `${value.toFixed(2).replace('-', '−')}`);

// The bars of a histogram of offsets, those below 0 in a color of their own, on an axis from -2 to 3 seconds.
function offsetPicture(name, found) {
  const { low_s: low, width_s: width, counts, below, above } = found.histogram;
  const most = Math.max(...counts, 1);
  const part = 100 / counts.length;
  const bars = counts.map((count, i) => svg('rect', {
    class: low + (i + 0.5) * width < 0 ? 'overlapping' : 'apart', x: `${(i * part).toFixed(2)}%`, width: `${(part * 0.86).toFixed(2)}%`,
    y: `${(100 - (100 * count) / most).toFixed(2)}%`, height: `${((100 * count) / most).toFixed(2)}%`,
  }));
  const high = low + width * counts.length;
  const label = `${name}: median ${seconds(found.median_s)} s, ${percent(found.share_below_0)} overlap`;
  const outside = below + above ? ` ${whole(below)} below and ${whole(above)} above.` : '';
  return el('div', { class: 'card' }, el('h3', {}, name),
    svg('svg', { class: 'offsets', role: 'img', 'aria-label': label }, bars, svg('line', { class: 'zero', x1: `${(-100 * low) / (high - low)}%`, x2: `${(-100 * low) / (high - low)}%`, y1: 0, y2: '100%' })),
    el('p', { class: 'offset-ends muted' }, el('span', {}, `${whole(low).replace('-', '−')} s`), el('span', { class: 'offset-zero' }, '0'), el('span', {}, `${whole(high)} s`)),
    el('p', { class: 'muted' }, `${plural(found.number, 'change')}, median ${seconds(found.median_s)} s, ${percent(found.share_below_0)} overlap.${outside}`));
}

function spreadCells(name, spread) {
  return [name, whole(spread.number), ...['median_s', 'quartile_1_s', 'quartile_3_s', 'p90_s'].map((key) => seconds(spread[key]))];
}

function drawTiming(timing) {
  if (!timing) return;
  byId('timing').hidden = false;
  byId('to-timing').hidden = false;
  byId('offsets').append(el('div', { class: 'cards' }, Object.entries(timing.offsets).filter(([name]) => name !== 'all').map(([name, found]) => offsetPicture(`From ${name}`, found))));
  const facts = [
    [percent(timing.overlap.share_of_time), 'of the time both speak'],
    [percent(timing.silence_share), 'of the time nobody speaks'],
    [whole(timing.backchannels.per_hour_of_speech || 0), 'backchannels in an hour of speech'],
    [whole(timing.interruptions.number), 'interruptions'],
  ];
  const spreads = [
    ...Object.entries(timing.offsets).flatMap(([name, found]) => [spreadCells(`Offset, ${name}`, found), spreadCells(`Gap, ${name}`, found.gap)]),
    spreadCells('Pause of a speaker', timing.pause), spreadCells('Overlap', timing.overlap),
    spreadCells('Backchannel after its word', timing.backchannels.lag), spreadCells('Stop latency, and the tail that is kept', timing.interruptions.stop_latency),
  ];
  const heads = [['seconds', ''], ['number', 'n'], ['median', 'n'], ['25 %', 'n wide'], ['75 %', 'n wide'], ['90 %', 'n']];
  const people = timing.people.map((one) => [one.measure, one.value, one.source, one.differs ? `not comparable: ${one.differs}` : '']);
  byId('times').append(
    el('div', { class: 'facts' }, facts.map(([value, text]) => el('div', {}, el('span', { class: 'big' }, value), el('span', { class: 'muted' }, text)))),
    table(heads, spreads),
    el('details', {}, el('summary', {}, 'What is published about people'), table([['', ''], ['people', ''], ['source', ''], ['', '']], people)));
}
