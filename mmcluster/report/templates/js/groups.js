// The cards of all clusters, alone or in the coarse groups of the tree of merges.
const CARDS_SHOWN = 24;
const groups = {count: 0, of: new Map(), all: false};

// Undo the last merges of the tree until `count` groups are left; they are numbered by size.
function cutTree(count) {
  const parent = [...Array(data.tree.length * 2 + 1).keys()];
  const leaves = data.tree.length + 1;
  data.tree.slice(0, Math.max(0, leaves - count)).forEach(([a, b], step) => {
    parent[a] = leaves + step;
    parent[b] = leaves + step;
  });
  const root = (node) => (parent[node] === node ? node : root(parent[node]));
  const images = new Map();
  for (const {id, size} of realClusters) images.set(root(id), (images.get(root(id)) || 0) + size);
  const numbers = new Map([...images].sort((one, other) => other[1] - one[1]).map(([own], number) => [own, number]));
  return new Map(realClusters.map(({id}) => [id, numbers.get(root(id))]));
}

const groupOf = (id) => (groups.of.has(id) ? groups.of.get(id) : -1);

function card(cluster, largest) {
  const rows = (cluster.typical.length ? cluster.typical : cluster.far).slice(0, 4);
  const bar = el('span.bar-fill');
  bar.style.width = `${Math.max(1, (100 * cluster.size) / largest)}%`;
  bar.style.background = colorOf(cluster.id);
  const [label, share] = cluster.mostly[0] || [];
  const mostly = label ? el('span.mostly', {}, el('bdi', {}, label), ` ${percent(share)}`) : null;
  return el('button.card.cluster-card', {type: 'button', 'data-cluster': String(cluster.id),
    'aria-label': `${nameOf(cluster.id)}, ${counted(cluster.size, 'image')}`, onclick: () => select(cluster.id, true)},
  el('span.card-head', {}, chip(cluster.id), el('strong', {}, cluster.id < 0 ? nameOf(-1) : grouped(cluster.size)),
    el('span.muted', {}, cluster.id < 0 ? grouped(cluster.size) : percent(cluster.share)), mostly),
  el('span.strip', {}, ...rows.map(picture)),
  el('span.bar-line', {}, bar));
}

function drawCards() {
  const largest = Math.max(...data.clusters.map((cluster) => cluster.size));
  const grid = (clusters) => {
    const node = el('div.cards', {}, ...clusters.map((cluster) => card(cluster, largest)));
    withArrows(node, 'button');
    return node;
  };
  const place = byId('cards');
  if (groups.count) {
    const members = new Map();
    for (const cluster of data.clusters) {
      const own = groupOf(cluster.id);
      members.set(own, [...(members.get(own) || []), cluster]);
    }
    const images = (clusters) => clusters.reduce((sum, one) => sum + one.size, 0);
    const bySize = [...members].sort(([one], [other]) => (one < 0) - (other < 0) || one - other);
    place.replaceChildren(...bySize.map(([own, clusters]) => el('section.group', {},
      el('h3', {}, swatch(own), own < 0 ? 'Without a group' : `Group ${own}`,
        el('span.muted', {}, ` ${counted(clusters.length, 'cluster')}, ${counted(images(clusters), 'image')}`)),
      grid(clusters))));
  } else {
    const shown = groups.all ? data.clusters : data.clusters.slice(0, CARDS_SHOWN);
    place.replaceChildren(grid(shown));
    if (shown.length < data.clusters.length) {
      place.append(el('button.more', {type: 'button', onclick: () => { groups.all = true; drawCards(); }},
        `Show all ${data.clusters.length} clusters`));
    }
  }
  markCard();
}

function markCard() {
  for (const node of document.querySelectorAll('.cluster-card')) {
    node.setAttribute('aria-pressed', String(Number(node.dataset.cluster) === current));
  }
}

function setGroups(count) {
  groups.of = data.tree.length ? cutTree(count) : new Map();
  if (byId('coarse')) {
    byId('coarse').value = count;
    byId('coarse-count').textContent = `${count} of ${realClusters.length}`;
  }
}

function regroup() {
  groups.count = byId('grouped').checked ? Number(byId('coarse').value) : 0;
  byId('coarse-field').hidden = !groups.count;
  setGroups(Number(byId('coarse').value));
  drawCards();
  recolor();
}

setGroups(Math.min(data.groups, Math.max(2, Math.round(realClusters.length / 4)), data.tree.length + 1));
if (byId('grouped')) {
  byId('grouped').onchange = regroup;
  byId('coarse').oninput = regroup;
}
