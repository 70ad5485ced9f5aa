// A picture of a dialogue's timeline: a lane for each channel. Places are shares of the width, so that it fits any page.

const LANES = { user: 6, agent: 40 };
const LANE = 24;
const KIND_NAMES = {
  turn: 'turn', backchannel: 'backchannel', aside: 'aside', background: 'in the background', barge_in: 'interruption', stop: 'stops', false_start: 'false start',
  self_correction: 'self-correction', pause: 'pause', silence: 'silence', room: 'room', echo: 'echo', noise: 'noise', telephone: 'telephone', overlap: 'overlap',
};
const EFFECTS = new Set(['room', 'echo', 'noise', 'telephone']);
const SPOKEN = new Set(['turn', 'backchannel', 'aside', 'background']);

// A step of the axis, so that there are at most seven labels.
const axisStep = (length) => [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300].find((step) => length / step <= 7) || 600;

function timelinePart(timeline, chosen) {
  const events = timeline.e.map(([kind, channel, start, end, turn, cause]) => ({ kind, channel, start, end, turn, cause }));
  const share = (moment) => `${((100 * moment) / (timeline.s || 1)).toFixed(3)}%`;
  const box = (event, y, height, kind) => svg('rect', { x: share(event.start), width: share(event.end - event.start), y, height, class: kind },
    svg('title', {}, eventText(event)));
  const top = (event) => (LANES[event.channel] === undefined ? 0 : LANES[event.channel]);
  const step = axisStep(timeline.s);
  const ticks = Array.from({ length: Math.floor(timeline.s / step + 1e-9) + 1 }, (_, i) => i * step).filter((moment) => moment < timeline.s * 0.97 || moment === 0);
  const cut = new Set(events.filter((event) => event.kind === 'stop').map((event) => event.turn));
  const picture = svg('svg', { class: 'lanes', role: 'img', 'aria-label': timelineText(timeline, events) },
    ticks.map((moment) => svg('line', { class: 'tick', x1: share(moment), x2: share(moment), y1: 0, y2: 70 })),
    events.filter((event) => event.kind === 'overlap').map((event) => box(event, 0, 70, 'both')),
    Object.values(LANES).map((y) => svg('line', { class: 'lane', x1: 0, x2: '100%', y1: y + LANE / 2, y2: y + LANE / 2 })),
    events.filter((event) => SPOKEN.has(event.kind)).map((event) => {
      const bar = box(event, top(event) + (event.kind === 'turn' ? 0 : 5), event.kind === 'turn' ? LANE : LANE - 10, `spoken ${event.channel === 'agent' ? 'agent' : 'user'}${event.kind === 'turn' ? '' : ` ${event.kind}`}`);
      if (event.turn !== null) bar.addEventListener('click', () => chosen(event.turn));
      return bar;
    }),
    events.filter((event) => event.kind === 'pause').map((event) => box(event, top(event) + 2, LANE - 4, 'paused')),
    events.filter((event) => event.kind === 'false_start' || event.kind === 'self_correction').map((event) => box(event, top(event) + LANE - 4, 4, 'mended')),
    events.filter((event) => EFFECTS.has(event.kind)).map((event) => box(event, top(event) - 4, 2, 'effect')),
    events.filter((event) => event.kind === 'silence').map((event) => box(event, 33, 4, 'nobody')),
    events.filter((event) => event.kind === 'turn' && cut.has(event.turn)).map((event) => svg('line', { class: 'cut', x1: share(event.end), x2: share(event.end), y1: top(event) - 4, y2: top(event) + LANE + 4 })),
    ticks.map((moment) => svg('text', { class: 'clock', x: share(moment), y: 84, 'text-anchor': moment ? 'middle' : 'start' }, step < 1 ? moment.toFixed(1) : moment < 60 ? `${moment}` : clock(moment))));
  const heads = [['from', 'n'], ['to', 'n'], ['channel', ''], ['what', ''], ['turn', 'n'], ['', '']];
  const lines = events.map((event) => [event.start.toFixed(2), event.end.toFixed(2), event.channel, KIND_NAMES[event.kind] || event.kind, event.turn === null ? '' : `${event.turn + 1}`, event.cause || '']);
  return el('section', { class: 'timeline', 'aria-label': 'Timeline' },
    el('div', { class: 'lane-grid' }, el('span', { class: 'lane-name' }, 'user'), el('span', { class: 'lane-name' }, 'agent'), picture),
    timeline.mix && el('audio', { class: 'both-sides', controls: true, preload: 'none', src: clipAddress(timeline.mix), 'aria-label': 'Both sides together' }),
    legend(events, cut.size), el('details', {}, el('summary', {}, `${plural(events.length, 'event')} of ${timeline.s.toFixed(2)} s, profile ${clipped(timeline.p, 40)}`), table(heads, lines)));
}

const eventText = (event) => `${KIND_NAMES[event.kind] || event.kind}${event.turn === null ? '' : `, turn ${event.turn + 1}`}, ${event.start.toFixed(2)} to ${event.end.toFixed(2)} s${event.cause ? `: ${event.cause}` : ''}`;

function timelineText(timeline, events) {
  const counts = countsOf(events.map((event) => KIND_NAMES[event.kind] || event.kind)).map(([name, count]) => `${count} ${name}`);
  return `Timeline of ${timeline.s.toFixed(1)} seconds: ${counts.join(', ')}`;
}

// The signs that occur in this picture, each with its name.
function legend(events, cuts) {
  const kinds = new Set(events.map((event) => event.kind));
  const signs = [
    ['overlap', 'both', 'both speak'], ['backchannel', 'backchannel', 'backchannel'], ['aside', 'aside', 'aside'], ['background', 'background', 'in the background'],
    ['pause', 'paused', 'pause'], ['silence', 'nobody', 'nobody speaks'], ['noise', 'effect', 'noise'], ['echo', 'effect', 'echo'], ['room', 'effect', 'room'], ['telephone', 'effect', 'telephone'],
  ].filter(([kind]) => kinds.has(kind)).map(([, sign, name]) => [sign, name]);
  if (kinds.has('false_start') || kinds.has('self_correction')) signs.push(['mended', 'false start or self-correction']);
  if (cuts) signs.push(['cut', 'cut off']);
  return signs.length ? el('p', { class: 'signs muted' }, signs.map(([sign, name]) => el('span', {}, el('i', { class: `sign ${sign}` }), name))) : null;
}
