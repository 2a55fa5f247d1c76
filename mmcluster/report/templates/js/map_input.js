// What a mouse, fingers and keys do on the map.
const held = new Map();     // pointers that are down: where they are
let travelled = 0;

function at(event) {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function under(event) {
  const [x, y] = at(event);
  return nearest(fromX(x), fromY(y), REACH / (Math.min(baseX(), baseY()) * view.zoom));
}

function dragged(event) {
  const [x, y] = at(event);
  const before = held.get(event.pointerId);
  if (held.size === 1) {
    view.x -= (x - before[0]) / (baseX() * view.zoom);
    view.y -= (y - before[1]) / (baseY() * view.zoom);
  } else {
    const other = [...held].find(([id]) => id !== event.pointerId)[1];
    const apart = (from) => Math.hypot(from[0] - other[0], from[1] - other[1]) || 1;
    zoomBy(apart([x, y]) / apart(before), (x + other[0]) / 2, (y + other[1]) / 2);
  }
  travelled += Math.hypot(x - before[0], y - before[1]);
  held.set(event.pointerId, [x, y]);
  if (travelled > 4) pointAt(-1);
  redraw();
}

function listenToPointer() {
  canvas.addEventListener('pointerdown', (event) => {
    if (!held.size) travelled = 0;
    held.set(event.pointerId, at(event));
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (held.has(event.pointerId)) dragged(event);
    else pointAt(under(event));
  });
  canvas.addEventListener('pointerup', (event) => {
    held.delete(event.pointerId);
    const row = under(event);
    if (travelled > 4 || held.size) return;
    // a finger has no hover: its first tap shows the image, the second one opens it
    if (row >= 0 && (event.pointerType === 'mouse' || row === view.at)) openFromMap(row);
    else pointAt(row);
  });
  canvas.addEventListener('pointercancel', (event) => held.delete(event.pointerId));
  canvas.addEventListener('pointerleave', () => { if (!held.size) pointAt(-1); });
  canvas.addEventListener('wheel', (event) => {
    // a page must scroll past the map: the wheel zooms once the map has the focus, or with the control key
    if (document.activeElement !== canvas && !event.ctrlKey) return;
    event.preventDefault();
    zoomBy(Math.exp(-event.deltaY * 0.0016), ...at(event));
  }, {passive: false});
}

function openFromMap(row) {
  select(column.cluster[row]);
  openViewer(row, [row]);
}

const DIRECTIONS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};

function moveFocus(dx, dy) {
  let row = view.at < 0 ? nearest(view.x, view.y, 1) : towards(view.at, dx, dy);
  if (row < 0) row = view.at;
  if (row < 0) return;
  const [x, y] = [toX(points.x[row]), toY(points.y[row])];
  if (x < 20 || y < 20 || x > view.width - 20 || y > view.height - 20) {
    [view.x, view.y] = [points.x[row], points.y[row]];
  }
  pointAt(row, true);
}

function listenToKeys() {
  canvas.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (DIRECTIONS[event.key]) moveFocus(...DIRECTIONS[event.key]);
    else if (event.key === '+' || event.key === '=') zoomBy(1.6);
    else if (event.key === '-') zoomBy(1 / 1.6);
    else if (event.key === '0') wholeMap();
    else if (event.key === 'Enter' && view.at >= 0) openFromMap(view.at);
    else if (event.key === 'Escape') pointAt(-1);
    else return;
    event.preventDefault();
  });
}

// One button per cluster: it shows or hides its points; with the shift key it shows that cluster alone.
function drawLegend() {
  const toggle = (id) => (event) => {
    if (event.shiftKey) points.hidden = new Set([...clusterById.keys()].filter((other) => other !== id));
    else if (!points.hidden.delete(id)) points.hidden.add(id);
    drawLegend();
    byId('legend').querySelector(`[data-cluster="${id}"]`).focus();
    pointAt(-1);
    redraw();
  };
  const all = el('button.plain', {type: 'button', onclick: () => {
    points.hidden = new Set(points.hidden.size ? [] : clusterById.keys());
    drawLegend();
    redraw();
  }}, points.hidden.size ? 'Show all' : 'Hide all');
  const key = (id) => el('button.key', {type: 'button', 'data-cluster': String(id),
    'aria-pressed': String(!points.hidden.has(id)), 'aria-label': `${nameOf(id)} on the map`,
    title: `${nameOf(id)} (with shift: this one alone)`, onclick: toggle(id)}, chip(id));
  byId('legend').replaceChildren(all, ...[...clusterById.keys()].map(key));
}
withArrows(byId('legend'), 'button');
