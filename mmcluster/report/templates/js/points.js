// Where the points of the map are, and which of them is near.
const CELLS = 64;
const points = {x: spread(column.x, false), y: spread(column.y, true), hidden: new Set()};

// Coordinates from 0 to 1, so that the points fill the frame; screens count from the top.
function spread(values, flip) {
  const low = values.reduce((least, value) => Math.min(least, value), 65535);
  const high = values.reduce((most, value) => Math.max(most, value), 0);
  return Float32Array.from(values, (value) => {
    const share = high > low ? (value - low) / (high - low) : 0.5;
    return flip ? 1 - share : share;
  });
}

const order = [...column.cluster.keys()].sort((a, b) => column.cluster[a] - column.cluster[b]);
const place = (share) => Math.min(CELLS - 1, Math.floor(share * CELLS));
const cellOf = (x, y) => place(x) + CELLS * place(y);
const cells = Array.from({length: CELLS * CELLS}, () => []);
for (const row of order) cells[cellOf(points.x[row], points.y[row])].push(row);

const visible = (row) => !points.hidden.has(column.cluster[row]);

// The nearest visible point within a radius, all in units of the map, or -1.
function nearest(x, y, radius) {
  let best = -1;
  let least = radius * radius;
  const low = (value) => Math.max(0, Math.floor((value - radius) * CELLS));
  const high = (value) => Math.min(CELLS - 1, Math.floor((value + radius) * CELLS));
  for (let down = low(y); down <= high(y); down += 1) {
    for (let across = low(x); across <= high(x); across += 1) {
      for (const row of cells[across + CELLS * down]) {
        const distance = (points.x[row] - x) ** 2 + (points.y[row] - y) ** 2;
        if (distance < least && visible(row)) {
          least = distance;
          best = row;
        }
      }
    }
  }
  return best;
}

// The next visible point from a row in a direction: far ones and ones off the direction cost more.
function towards(row, dx, dy) {
  let best = -1;
  let least = Infinity;
  for (const other of order) {
    const ahead = (points.x[other] - points.x[row]) * dx + (points.y[other] - points.y[row]) * dy;
    if (ahead <= 0 || !visible(other)) continue;
    const aside = Math.abs((points.x[other] - points.x[row]) * dy) + Math.abs((points.y[other] - points.y[row]) * dx);
    const cost = ahead + 3 * aside;
    if (cost < least && aside < 2 * ahead) {
      least = cost;
      best = other;
    }
  }
  return best;
}

// The middle of each cluster's points: the median, since the mean may lie where nothing is.
function middles() {
  const found = [];
  for (const cluster of realClusters) found.push({id: cluster.id, xs: [], ys: []});
  const at = new Map(found.map((one) => [one.id, one]));
  for (const row of order) {
    const one = at.get(column.cluster[row]);
    if (one) {
      one.xs.push(points.x[row]);
      one.ys.push(points.y[row]);
    }
  }
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  return found.map(({id, xs, ys}) => ({id, x: median(xs), y: median(ys)}));
}
