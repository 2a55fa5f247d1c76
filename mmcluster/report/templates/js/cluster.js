// The gallery of one cluster.
let current = null;

function secondChoice(row) {
  return [chip(column.second[row]), ` ${percent(secondShare(row))}`];
}

function section(title, said, rows, caption) {
  if (!rows.length) return null;
  return el('section.gallery', {}, el('h3', {}, title, el('span.muted', {}, ` ${said}`)), tiles(rows, caption));
}

function duplicates(cluster) {
  if (!cluster.duplicates.length) return null;
  const more = cluster.copies - cluster.duplicates.length;
  const sets = ` ${counted(cluster.copies, 'set')} of images that look almost the same`;
  return el('section.gallery', {},
    el('h3', {}, 'Near-duplicates', el('span.muted', {}, sets + (more ? `, ${more} not shown` : ''))),
  el('div.copies', {}, ...cluster.duplicates.map((rows) => tiles(rows))));
}

function showCluster(cluster) {
  const {id} = cluster;
  const whole = cluster.typical.length === cluster.size;
  const kind = id < 0 ? 'Nearly belong' : 'Most typical';
  byId('cluster-title').replaceChildren(chip(id), ` ${nameOf(id)}`);
  byId('cluster-facts').replaceChildren(...[
    fact('Images', grouped(cluster.size), `${percent(cluster.share)} of all`),
    id >= 0 && fact('Confidence', percent(cluster.confidence), 'on average'),
    Number.isFinite(cluster.silhouette) && fact('Silhouette', cluster.silhouette.toFixed(2), 'how far from the others'),
    Number.isFinite(cluster.spread) && fact('Spread', cluster.spread.toFixed(2), 'mean distance to the centre'),
    cluster.mostly.length && fact('Mostly', el('bdi', {}, cluster.mostly[0][0]),
      cluster.mostly.map(([label, share]) => `${label} ${percent(share)}`).join(', ')),
  ].filter(Boolean));
  byId('cluster-sections').replaceChildren(...[
    section(whole ? 'All images' : kind, `nearest to ${id < 0 ? 'a cluster' : 'the centre'}${whole ? ' first' : ''}`,
      cluster.typical),
    section('Borderline', 'with their second choice', cluster.borderline, secondChoice),
    section('Farthest', 'possible outliers', cluster.far),
    section('Random', 'from the rest', cluster.random),
    duplicates(cluster),
  ].filter(Boolean));
  byId('cluster').style.setProperty('--own', colorOf(id));
}

// Make a cluster the current one; `move` brings its gallery into view.
function select(id, move = false) {
  const cluster = clusterById.get(id);
  if (!cluster) return;
  current = id;
  showCluster(cluster);
  markCard();
  recolor();
  if (!move) return;
  window.history.replaceState(null, '', `#cluster=${id}`);
  byId('cluster').scrollIntoView({behavior: calm() ? 'auto' : 'smooth', block: 'start'});
  byId('cluster-title').focus({preventScroll: true});
}

const calm = () => window.matchMedia('(prefers-reduced-motion: reduce)').matches;

function stepCluster(step) {
  const at = data.clusters.findIndex((cluster) => cluster.id === current);
  select(data.clusters[(at + step + data.clusters.length) % data.clusters.length].id);
}

byId('cluster-back').onclick = () => stepCluster(-1);
byId('cluster-next').onclick = () => stepCluster(1);
