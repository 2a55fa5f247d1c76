// The map: draw, move, zoom, point at images.
const REACH = 16;          // pixels around the pointer in which an image is found
const IMAGE = 44;          // pixels of an image on the map
const SHAPED = 2.6;        // pixels from the middle to the edge from which a point has a shape
const STRETCH = 1.7;       // the axes mean nothing, so a wide frame may stretch the map this much
const canvas = byId('map-canvas');
const pen = canvas.getContext('2d');
const view = {by: 'cluster', zoom: 1, x: 0.5, y: 0.5, width: 0, height: 0, at: -1, due: false, bitmaps: new Map(),
  labels: []};

const baseX = () => Math.min(view.width, view.height * STRETCH) * 0.92;
const baseY = () => Math.min(view.height, view.width * STRETCH) * 0.9;
const toX = (x) => view.width / 2 + (x - view.x) * baseX() * view.zoom;
const toY = (y) => view.height / 2 + (y - view.y) * baseY() * view.zoom;
const fromX = (x) => view.x + (x - view.width / 2) / (baseX() * view.zoom);
const fromY = (y) => view.y + (y - view.height / 2) / (baseY() * view.zoom);

function redraw() {
  if (view.due) return;
  view.due = true;
  requestAnimationFrame(() => {
    view.due = false;
    draw();
  });
}

function fitCanvas() {
  const box = canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  [view.width, view.height] = [box.width, box.height];
  [canvas.width, canvas.height] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  redraw();
}

// What colour and shape follow: the cluster, its group or the label.
function kindOf(row) {
  if (view.by === 'label') return labelOf(row) ? column.label[row] : -1;
  return view.by === 'group' ? groupOf(column.cluster[row]) : column.cluster[row];
}

function trace(x, y, size, kind) {
  shapeOf(kind).forEach(([dx, dy], corner) => pen[corner ? 'lineTo' : 'moveTo'](x + dx * size, y + dy * size));
  pen.closePath();
}

// Points at places [x, y, x, y, ...]. Tiny ones are squares: no shape would show, and these are drawn faster.
function drawKind(places, size, kind) {
  if (size < SHAPED) {
    for (let i = 0; i < places.length; i += 2) pen.fillRect(places[i] - size, places[i + 1] - size, 2 * size, 2 * size);
    return;
  }
  pen.beginPath();
  for (let i = 0; i < places.length; i += 2) trace(places[i], places[i + 1], size, kind);
  pen.fill();
}

function drawPoints() {
  const size = Math.min(9, Math.max(1.6, (6.4 - Math.log10(data.images) * 0.95) * Math.sqrt(view.zoom)));
  const emphasised = found ? new Set(found) : null;
  const batches = new Map();
  for (const row of order) {
    const [x, y] = [toX(points.x[row]), toY(points.y[row])];
    if (!visible(row) || x < -9 || y < -9 || x > view.width + 9 || y > view.height + 9) continue;
    const [kind, strong] = [kindOf(row), !emphasised || emphasised.has(row)];
    const key = kind * 2 + strong;
    if (!batches.has(key)) batches.set(key, {kind, strong, places: []});
    batches.get(key).places.push(x, y);
  }
  const drawn = [...batches.values()].sort((a, b) => a.strong - b.strong);
  for (const {kind, strong, places} of drawn) {
    pen.globalAlpha = strong ? 0.85 : 0.12;
    pen.fillStyle = colorOf(kind);
    drawKind(places, emphasised && strong ? size * 1.5 : size, kind);
  }
  pen.globalAlpha = 1;
}

function bitmapOf(row) {
  let image = view.bitmaps.get(row);
  if (!image) {
    image = new Image();
    image.onload = redraw;
    image.src = pictureSource(row);
    view.bitmaps.set(row, image);
  }
  return image.complete && image.naturalWidth ? image : null;
}

// Images where there is room for them: those drawn first are the most telling ones.
function drawImages() {
  const taken = new Map();
  const key = (across, down) => across * 1000 + down;
  const free = (x, y) => {
    const [across, down] = [Math.floor(x / IMAGE), Math.floor(y / IMAGE)];
    for (let i = across - 1; i <= across + 1; i += 1) {
      for (let j = down - 1; j <= down + 1; j += 1) {
        const other = taken.get(key(i, j));
        if (other && Math.abs(other[0] - x) < IMAGE + 3 && Math.abs(other[1] - y) < IMAGE + 3) return false;
      }
    }
    taken.set(key(across, down), [x, y]);
    return true;
  };
  const wanted = found && new Set(found);
  for (const row of pictureOf.keys()) {
    const [x, y] = [toX(points.x[row]), toY(points.y[row])];
    if (!visible(row) || x < 0 || y < 0 || x > view.width || y > view.height) continue;
    if ((wanted && !wanted.has(row)) || !free(x, y)) continue;
    const image = bitmapOf(row);
    if (!image) continue;
    const side = Math.min(image.naturalWidth, image.naturalHeight);
    pen.drawImage(image, (image.naturalWidth - side) / 2, (image.naturalHeight - side) / 2, side, side,
      x - IMAGE / 2, y - IMAGE / 2, IMAGE, IMAGE);
    pen.lineWidth = 2;
    pen.strokeStyle = colorOf(kindOf(row));
    pen.strokeRect(x - IMAGE / 2, y - IMAGE / 2, IMAGE, IMAGE);
  }
}

function drawNumbers() {
  pen.font = '600 12px system-ui, sans-serif';
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  for (const {id, x, y} of view.labels) {
    if (points.hidden.has(id)) continue;
    const [left, top, wide] = [toX(x), toY(y), id > 99 ? 32 : 24];
    const kind = {cluster: id, group: groupOf(id), label: -1}[view.by];
    pen.fillStyle = colorOf(kind);
    pen.strokeStyle = id === current ? ink() : paper();
    pen.lineWidth = id === current ? 2.5 : 1.5;
    pen.beginPath();
    pen.roundRect(left - wide / 2, top - 10, wide, 20, 10);
    pen.fill();
    pen.stroke();
    pen.fillStyle = inkOf(kind);
    pen.fillText(String(id), left, top + 0.5);
  }
}

const themed = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const ink = () => themed('--ink');
const paper = () => themed('--card');

function draw() {
  pen.clearRect(0, 0, view.width, view.height);
  drawPoints();
  if (byId('map-images').checked) drawImages();
  drawNumbers();
  if (view.at >= 0) {
    pen.strokeStyle = ink();
    pen.lineWidth = 2.5;
    pen.beginPath();
    pen.arc(toX(points.x[view.at]), toY(points.y[view.at]), 11, 0, 7);
    pen.stroke();
  }
}

// The picture, path and cluster of the image under the pointer or the keyboard's focus.
function pointAt(row, spoken = false) {
  if (row === view.at && !spoken) return;
  view.at = row;
  const hover = byId('map-hover');
  hover.hidden = row < 0;
  canvas.style.cursor = row < 0 ? 'grab' : 'pointer';
  if (row >= 0) {
    const own = column.cluster[row];
    const said = own < 0 ? ' belongs nowhere' : ` ${percent(column.confidence[row] / 255)}`;
    hover.replaceChildren(picture(row),
      el('div.hover-text', {}, el('span', {}, chip(own), said), el('bdi', {}, pathOf(row))));
    const [x, y, wide, high] = [toX(points.x[row]), toY(points.y[row]), hover.offsetWidth, hover.offsetHeight];
    const left = x + 18 + wide > view.width ? x - 18 - wide : x + 18;
    hover.style.left = `${Math.max(8, Math.min(view.width - wide - 8, left))}px`;
    hover.style.top = `${Math.max(8, Math.min(view.height - high - 8, y - high / 2))}px`;
    if (spoken) byId('map-status').textContent = `${pathOf(row)}, ${nameOf(column.cluster[row])}`;
  }
  redraw();
}

function zoomBy(factor, x = view.width / 2, y = view.height / 2) {
  const [oldX, oldY] = [fromX(x), fromY(y)];
  view.zoom = Math.min(60, Math.max(0.8, view.zoom * factor));
  view.x += oldX - fromX(x);
  view.y += oldY - fromY(y);
  pointAt(-1);
  redraw();
}

function wholeMap() {
  Object.assign(view, {zoom: 1, x: 0.5, y: 0.5});
  pointAt(-1);
  redraw();
}

function showOnMap(row) {
  points.hidden.delete(column.cluster[row]);
  drawLegend();
  Object.assign(view, {zoom: Math.max(view.zoom, 3), x: points.x[row], y: points.y[row]});
  byId('map').scrollIntoView({behavior: calm() ? 'auto' : 'smooth', block: 'start'});
  canvas.focus({preventScroll: true});
  pointAt(row, true);
}

function recolor() {
  view.by = byId('map-color').value;
  redraw();
}

function startMap() {
  view.labels = middles();
  byId('map-color').onchange = recolor;
  byId('map-images').onchange = redraw;
  byId('map-in').onclick = () => zoomBy(1.6);
  byId('map-out').onclick = () => zoomBy(1 / 1.6);
  byId('map-reset').onclick = wholeMap;
  listenToPointer();
  listenToKeys();
  new ResizeObserver(fitCanvas).observe(canvas);
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
}
