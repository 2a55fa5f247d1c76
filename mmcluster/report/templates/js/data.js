// The table of all images, and small helpers. Texts enter the page as text nodes only, never as markup.
const data = JSON.parse(document.getElementById('data').textContent);
const pictures = document.getElementById('pictures').textContent.split('\n');
const KINDS = {int32: Int32Array, uint16: Uint16Array, uint8: Uint8Array};

function unpack({kind, data: text}) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new KINDS[kind](bytes.buffer);
}

const column = {};
for (const [name, values] of Object.entries(data.columns)) column[name] = unpack(values);

const pictureOf = new Map(data.pictured.map((row, at) => [row, at]));
const clusterById = new Map(data.clusters.map((cluster) => [cluster.id, cluster]));
const realClusters = data.clusters.filter((cluster) => cluster.id >= 0);

const byId = (id) => document.getElementById(id);
const pathOf = (row) => data.folders[column.folder[row]] + data.names[row];
const labelOf = (row) => (column.label ? data.labels[column.label[row]] : '');
const nameOf = (id) => (id < 0 ? 'Belongs nowhere' : `Cluster ${id}`);
const percent = (share) => (share > 0 && share < 0.01 ? '< 1 %' : `${Math.round(share * 100)} %`);
const grouped = (number) => number.toLocaleString('en-GB');
const counted = (number, word) => `${grouped(number)} ${word}${number === 1 ? '' : 's'}`;

// Probability of the second choice.
const secondShare = (row) => Math.max(0, column.confidence[row] - column.margin[row]) / 255;

function pictureSource(row) {
  const at = pictureOf.get(row);
  return at === undefined ? null : `data:image/webp;base64,${pictures[at]}`;
}

// el('button.tile', {onclick}, 'text', child): an element with classes, properties or attributes, and children.
function el(what, properties = {}, ...children) {
  const [tag, ...classes] = what.split('.');
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(' ');
  for (const [name, value] of Object.entries(properties)) {
    if (name in node && typeof value !== 'string') node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function fact(title, value, said) {
  return el('div', {}, el('dt', {}, title), el('dd', {}, value), said ? el('p', {}, said) : null);
}
