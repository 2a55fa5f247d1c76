// Colours after Okabe and Ito, which stay apart for colour-blind eyes, times nine shapes: 63 clusters look different,
// and a number always says which one it is.
const COLORS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#d9c82e'];
const INKS = ['#fff', '#000', '#000', '#000', '#000', '#000', '#000'];
const NOWHERE = '#8b8d94';

const colorOf = (id) => (id < 0 ? NOWHERE : COLORS[id % COLORS.length]);
const inkOf = (id) => (id < 0 ? '#000' : INKS[id % INKS.length]);

// Corners on a unit circle; the first shape is a square since it is drawn fastest.
const SHAPES = [
  [[-0.8, -0.8], [0.8, -0.8], [0.8, 0.8], [-0.8, 0.8]],
  [[0, -1.15], [1.05, 0.8], [-1.05, 0.8]],
  [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]],
  [[0, 1.15], [1.05, -0.8], [-1.05, -0.8]],
  [[-1.3, -0.45], [1.3, -0.45], [1.3, 0.45], [-1.3, 0.45]],
  [[-0.45, -1.3], [0.45, -1.3], [0.45, 1.3], [-0.45, 1.3]],
  [[-1, 0], [0.8, -1.1], [0.8, 1.1]],
  [[1, 0], [-0.8, -1.1], [-0.8, 1.1]],
  [[-0.4, -1.2], [0.4, -1.2], [0.4, -0.4], [1.2, -0.4], [1.2, 0.4], [0.4, 0.4], [0.4, 1.2], [-0.4, 1.2], [-0.4, 0.4],
    [-1.2, 0.4], [-1.2, -0.4], [-0.4, -0.4]],
];
const shapeOf = (id) => (id < 0 ? SHAPES[0] : SHAPES[Math.floor(id / COLORS.length) % SHAPES.length]);

function swatch(id) {
  const node = el('span.swatch', {'aria-hidden': 'true'});
  node.style.background = colorOf(id);
  return node;
}

function chip(id) {
  const node = el('span.chip', {}, id < 0 ? '–' : String(id));
  node.style.background = colorOf(id);
  node.style.color = inkOf(id);
  return node;
}
