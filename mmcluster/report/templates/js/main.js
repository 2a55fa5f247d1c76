// Start, and the keys that work everywhere.
const typing = (node) => node.closest && node.closest('input[type="search"], input[type="range"], select, dialog');

document.addEventListener('keydown', (event) => {
  if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === '/') byId('search').focus();
  else if (event.key === '[') stepCluster(-1);
  else if (event.key === ']') stepCluster(1);
  else return;
  event.preventDefault();
});

function fromAddress(move) {
  const match = /^#cluster=(-?\d+)$/.exec(window.location.hash);
  if (match && clusterById.has(Number(match[1]))) select(Number(match[1]), move);
  return Boolean(match);
}

window.addEventListener('hashchange', () => fromAddress(true));
startMap();
drawLegend();
select(data.clusters[0].id);
drawCards();
fromAddress(true);
