// The yield as a flow: input, the stages where rows ended, and the reasons. Narrow pages leave the stages out.

const LEAF = 20; // pixels that a reason's label needs
const CHARACTER = 7.4; // pixels of a character of a label, in a wide font

function flowLeaves(flow) {
  const leaves = [{ name: 'kept', status: 'kept', rows: flow.kept, stage: null, meaning: '' }];
  for (const stage of flow.stages)
    for (const reason of stage.reasons)
      leaves.push({ name: reason.reason || 'no reason', stage: stage.stage, ...reason });
  return leaves;
}

function band(x0, y0, x1, y1, thick, kind) {
  const middle = (x0 + x1) / 2;
  const path = `M${x0},${y0}C${middle},${y0} ${middle},${y1} ${x1},${y1}L${x1},${y1 + thick}C${middle},${y1 + thick} ${middle},${y0 + thick} ${x0},${y0 + thick}Z`;
  return svg('path', { d: path, class: `band ${kind}` });
}

// Where leaves and stages stand. Each leaf is as thick as its rows, and has room for its label.
function flowLayout(flow, leaves) {
  const scale = Math.max(120, Math.min(300, leaves.length * 16)) / Math.max(flow.input, 1);
  let y = 4;
  for (const leaf of leaves) {
    leaf.thick = Math.max(leaf.rows * scale, leaf.rows ? 1.2 : 0);
    const room = Math.max(leaf.thick, LEAF);
    leaf.y = y + (room - leaf.thick) / 2;
    y += room + (leaf.status === 'kept' ? 14 : 3);
  }
  const groups = [];
  for (const leaf of leaves) {
    const last = groups[groups.length - 1];
    if (last && last.stage === leaf.stage) last.leaves.push(leaf);
    else groups.push({ stage: leaf.stage, leaves: [leaf] });
  }
  let free = 4;
  for (const group of groups) {
    group.thick = group.leaves.reduce((sum, leaf) => sum + leaf.thick, 0);
    const first = group.leaves[0];
    const last = group.leaves[group.leaves.length - 1];
    const wanted = (first.y + last.y + last.thick) / 2 - group.thick / 2;
    group.y = group.stage === null ? first.y : Math.max(wanted, free);
    free = group.y + Math.max(group.thick, 16) + 6;
  }
  return { groups, height: Math.max(y, free) + 4 };
}

function flowLabel(leaf, input, x, room, choose) {
  const count = `${whole(leaf.rows)} · ${share(leaf.rows, input)}`;
  const space = room / CHARACTER - leaf.name.length - count.length - 4;
  const meaning = space > 24 ? clipped(leaf.meaning, Math.floor(space)) : '';
  const label = svg('text', { x, y: leaf.y + leaf.thick / 2, class: 'leaf-text', 'dominant-baseline': 'central' },
    svg('tspan', { class: 'leaf-name' }, leaf.name),
    svg('tspan', { class: 'leaf-count', dx: 6 }, count),
    meaning && svg('tspan', { class: 'leaf-meaning', dx: 8 }, meaning));
  return svg('g', {
    class: `leaf ${leaf.status}`, tabindex: 0, role: 'button',
    'aria-label': `${leaf.name}, ${plural(leaf.rows, 'row')}: show them`,
    on: { click: () => choose(leaf), keydown: (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      choose(leaf);
    } },
  }, svg('title', {}, leaf.meaning || leaf.name), svg('rect', { x: x - 4, y: leaf.y + leaf.thick / 2 - 10, width: Math.max(room, 60), height: 20, class: 'leaf-area' }), label);
}

function drawFlow(flow, choose) {
  const place = byId('flow');
  const leaves = flowLeaves(flow);
  const width = Math.max(place.clientWidth, 280);
  const { groups, height } = flowLayout(flow, leaves);
  const narrow = width < 640;
  const [x0, x1, x2] = narrow ? [0, 0, Math.round(width * 0.26)] : [0, Math.round(width * 0.2), Math.round(width * 0.42)];
  const total = groups.reduce((sum, group) => sum + group.thick, 0);
  const bands = [];
  const marks = [];
  let from = leaves[0].y;
  marks.push(svg('rect', { x: x0, y: from, width: 8, height: total, class: 'node' }));
  for (const group of groups) {
    const color = group.stage === null ? 'kept' : group.leaves.every((leaf) => leaf.status === 'failed') ? 'failed' : 'rejected';
    const named = !narrow && group.stage !== null;
    if (named) {
      bands.push(band(x0 + 8, from, x1, group.y, group.thick, color));
      marks.push(svg('rect', { x: x1, y: group.y, width: 8, height: group.thick, class: `node ${color}` }));
      const sum = group.leaves.reduce((rows, leaf) => rows + leaf.rows, 0);
      marks.push(svg('text', { x: x1 + 14, y: group.y + group.thick / 2, class: 'stage-text', 'dominant-baseline': 'central' }, `${group.stage} ${whole(sum)}`));
    }
    let inner = named ? group.y : from;
    for (const leaf of group.leaves) {
      bands.push(band(named ? x1 + 8 : x0 + 8, inner, x2, leaf.y, leaf.thick, leaf.status));
      marks.push(svg('rect', { x: x2, y: leaf.y, width: 5, height: leaf.thick, class: `node ${leaf.status}` }));
      marks.push(flowLabel(leaf, flow.input, x2 + 12, width - x2 - 14, choose));
      inner += leaf.thick;
    }
    from += group.thick;
  }
  const about = `${plural(flow.input, 'row')} of input: ${whole(flow.kept)} kept; the others by stage and reason`;
  renew(place, svg('svg', { width, height, viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': about }, bands, marks));
}

function drawReasons(flow) {
  const rows = flowLeaves(flow).map((leaf) => [
    el('code', {}, leaf.name), leaf.stage || '', leaf.status, whole(leaf.rows), share(leaf.rows, flow.input), leaf.meaning,
  ]);
  const heads = [['reason', ''], ['stage', ''], ['status', ''], ['rows', 'n'], ['share', 'n'], ['meaning', '']];
  byId('reasons').append(table(heads, rows));
}
