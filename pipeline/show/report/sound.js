// Hours, speaking rates and quality of the kept turns; voices.

const MEASURES = {
  turn_s: ['Length of a turn', 's'],
  characters_per_s: ['Characters per second', '/s'],
  words_per_s: ['Words per second', '/s'],
  loudness_lufs: ['Loudness', 'LUFS'],
  peak_dbfs: ['Peak', 'dBFS'],
  clipped_share: ['Clipped share', ''],
  leading_silence_s: ['Silence before', 's'],
  trailing_silence_s: ['Silence after', 's'],
  bandwidth_hz: ['Bandwidth', 'Hz'],
  end_level_db: ['Level of the end', 'dB'],
  dnsmos_ovrl: ['DNSMOS, overall', 'of 5'],
  dnsmos_sig: ['DNSMOS, speech', 'of 5'],
  dnsmos_bak: ['DNSMOS, background', 'of 5'],
  dnsmos_p808: ['DNSMOS, P.808', 'of 5'],
  utmos: ['UTMOS', 'of 5'],
  distillmos: ['DistillMOS', 'of 5'],
  speaker_similarity: ['Similarity to the voice', 'cosine'],
};

function drawHours(data) {
  const heads = [['language', ''], ['kept rows', 'n'], ['kept', 'n'], ['rejected rows', 'n wide'], ['rejected', 'n'], ['failed rows', 'n wide']];
  const rows = Object.entries(data.languages).map(([tag, of]) => [
    languageName(tag), whole(of.kept.rows), hours(of.kept.seconds), whole(of.rejected.rows), hours(of.rejected.seconds), whole(of.failed.rows),
  ]);
  byId('hours').append(table(heads, rows));
}

function histogram(one, low, high) {
  const [width, height] = [200, 34];
  const most = Math.max(...one.counts, 1);
  const span = high - low || 1;
  const x = (value) => (width * (value - low)) / span;
  const step = (one.high - one.low) / one.counts.length;
  const bars = one.counts.map((count, i) => svg('rect', {
    x: x(one.low + i * step), width: Math.max(x(one.low + (i + 1) * step) - x(one.low + i * step) - 0.4, 0.8),
    y: height - (height * count) / most, height: (height * count) / most,
  }));
  return svg('svg', { viewBox: `0 0 ${width} ${height}`, class: 'histogram', preserveAspectRatio: 'none', 'aria-hidden': true }, bars);
}

function drawMeasures(sound) {
  const place = byId('measures');
  const cards = sound.map(({ measure, languages }) => {
    const [name, unit] = MEASURES[measure] || [measure, ''];
    const all = Object.values(languages);
    const low = Math.min(...all.map((one) => one.low));
    const high = Math.max(...all.map((one) => one.high));
    return el('div', { class: 'card' }, el('h3', {}, name, unit && el('span', { class: 'unit' }, ` ${unit}`)),
      Object.entries(languages).map(([tag, one]) => el('div', { class: 'spread' },
        el('span', { class: 'tag' }, clipped(tag, 6)), histogram(one, low, high),
        el('span', { class: 'middle' }, number(one.mean)),
        el('span', { class: 'muted range' }, `${number(one.quantiles['0.05'])} to ${number(one.quantiles['0.95'])}`))),
      el('p', { class: 'ends muted' }, el('span', {}, number(low)), el('span', {}, number(high))));
  });
  const missing = ['dnsmos_ovrl', 'utmos', 'distillmos', 'loudness_lufs'].every((name) => !sound.some((one) => one.measure === name));
  place.append(el('p', { class: 'muted' }, 'Mean, and the range of nine turns in ten. The axis of each picture is shared by its languages.'),
    el('div', { class: 'cards' }, cards));
  if (missing) place.append(el('p', { class: 'muted' }, 'Predicted ratings and loudness are not recorded: the recipe has no stage assess.'));
}

function drawVoices(voices) {
  const place = byId('voice-tables');
  if (!voices.groups.length) {
    place.append(el('p', {}, 'No row was kept.'));
    return;
  }
  const groups = voices.groups.map((one) => [
    languageName(one.language), one.role, one.gender || 'not known', whole(one.voices), whole(one.turns), hours(one.seconds),
  ]);
  place.append(table([['language', ''], ['role', ''], ['gender', ''], ['voices', 'n'], ['turns', 'n'], ['speech', 'n']], groups));
  if (!voices.genders_known) place.append(el('p', { class: 'muted' }, 'Genders are not recorded in a corpus: name its voice bank with --bank.'));
  if (!voices.voices.length) return;
  const heads = [['voice', ''], ['language', 'wide'], ['gender', 'wide'], ['turns', 'n wide'], ['before', 'n'], ['kept', 'n'], ['after', 'n'], ['speech', 'n wide'], ['', 'picture']];
  const most = Math.max(0.01, ...voices.voices.map((one) => Math.max(one.before.rate || 0, one.after.rate || 0)));
  const rows = voices.voices.map((one) => [
    el('code', {}, one.voice), clipped(one.language, 12), one.gender, whole(one.before.turns), percent(one.before.rate), whole(one.kept_turns),
    percent(one.after.rate), hours(one.seconds), dumbbell(one.before.rate, one.after.rate, Math.min(most, 1)),
  ]);
  const shown = voices.total > rows.length ? `The ${rows.length} of ${whole(voices.total)} voices with the highest error rate before the gate` : `All ${plural(voices.total, 'voice')}, the highest error rate first`;
  place.append(el('details', {}, el('summary', {}, shown), table(heads, rows, { class: 'errors' })));
}
