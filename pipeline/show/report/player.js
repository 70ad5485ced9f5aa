// Plays the clips: one audio element, one waveform for each turn.

const LEVELS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const player = { turn: -1, turns: [], onward: false };

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

function waveform(levels) {
  const [width, height] = [320, 40];
  const x = (i) => ((i * width) / Math.max(levels.length - 1, 1)).toFixed(1);
  const halves = [...levels].map((level) => Math.max(0.5, (LEVELS.indexOf(level) / 63) * (height / 2 - 1)));
  const above = halves.map((half, i) => `${x(i)},${(height / 2 - half).toFixed(1)}`);
  const below = halves.map((half, i) => `${x(i)},${(height / 2 + half).toFixed(1)}`).reverse();
  const path = `M${[...above, ...below].join('L')}Z`;
  const area = (kind) => svg('path', { d: path, class: kind });
  const heard = svg('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', class: 'heard' }, area('played'));
  const all = svg('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none' }, area('level'));
  return { node: el('div', { class: 'wave' }, all, heard), heard };
}

const clipAddress = (clip) => (clip.startsWith('#') ? readJson(clip.slice(1)) : clip);

// A player for a turn: button, waveform, time. `index` is the turn's place in the dialogue.
function turnPlayer(turn, index) {
  const seconds = lastTake(turn)?.dur || 0;
  const time = el('span', { class: 'time' }, `${seconds.toFixed(1)} s`);
  const wave = turn.w ? waveform(turn.w) : null;
  const entry = { clip: turn.clip, seconds, time, wave, button: null, slider: null };
  player.turns[index] = entry;
  if (!turn.clip) {
    const why = turn.broken ? 'The clip cannot be decoded.' : turn.w ? 'The page has no clips.' : 'No clip.';
    return el('div', { class: 'player' }, wave && wave.node, el('span', { class: 'muted' }, why));
  }
  entry.button = el('button', { type: 'button', class: 'play', 'aria-label': `Play turn ${index + 1}`, on: { click: () => toggle(index) } }, '▶');
  entry.slider = el('div', {
    class: 'seek', role: 'slider', tabindex: 0, 'aria-label': `Position in turn ${index + 1}`, 'aria-valuemin': 0, 'aria-valuemax': seconds, 'aria-valuenow': 0,
    on: { click: (event) => seekTo(index, event), keydown: (event) => seekBy(index, event) },
  }, wave && wave.node);
  return el('div', { class: 'player' }, entry.button, entry.slider, time);
}

function load(index) {
  const entry = player.turns[index];
  if (player.turn === index || !entry || !entry.clip) return Boolean(entry && entry.clip);
  stop();
  player.turn = index;
  byId('audio').src = clipAddress(entry.clip);
  return true;
}

function play(index, onward = false) {
  if (!load(index)) return;
  player.onward = onward;
  byId('audio').play().catch(() => { player.turns[index].time.textContent = 'cannot be played here'; });
}

function toggle(index) {
  if (player.turn === index && !byId('audio').paused) byId('audio').pause();
  else play(index);
}

function stop() {
  byId('audio').pause();
  drawPosition(0);
  player.turn = -1;
}

function seekTo(index, event) {
  const box = event.currentTarget.getBoundingClientRect();
  const part = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
  const start = () => { byId('audio').currentTime = part * player.turns[index].seconds; };
  if (player.turn === index) start();
  else byId('audio').addEventListener('loadedmetadata', start, { once: true });
  play(index);
}

function seekBy(index, event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  event.stopPropagation();
  if (load(index)) byId('audio').currentTime = Math.max(0, byId('audio').currentTime + step);
}

function drawPosition(now) {
  const entry = player.turns[player.turn];
  if (!entry || !entry.slider) return;
  const part = entry.seconds ? Math.min(now / entry.seconds, 1) : 0;
  if (entry.wave) entry.wave.heard.style.clipPath = `inset(0 ${100 - 100 * part}% 0 0)`;
  entry.slider.setAttribute('aria-valuenow', now.toFixed(1));
  entry.slider.setAttribute('aria-valuetext', `${now.toFixed(1)} of ${entry.seconds.toFixed(1)} seconds`);
  entry.time.textContent = now ? `${clock(now)} / ${clock(entry.seconds)}` : `${entry.seconds.toFixed(1)} s`;
  const paused = byId('audio').paused;
  entry.button.textContent = paused ? '▶' : '❚❚';
  entry.button.setAttribute('aria-label', `${paused ? 'Play' : 'Pause'} turn ${player.turn + 1}`);
}

function startPlayer(moved) {
  const audio = byId('audio');
  const follow = () => {
    drawPosition(audio.currentTime);
    if (!audio.paused && !audio.ended) requestAnimationFrame(follow);
  };
  audio.addEventListener('play', follow);
  for (const event of ['pause', 'seeked']) audio.addEventListener(event, () => drawPosition(audio.currentTime));
  audio.addEventListener('ended', () => {
    const next = player.turn + 1;
    const onward = player.onward && next < player.turns.length;
    stop();
    if (!onward) return;
    moved(next);
    play(next, true);
  });
}
