// One image, large, with what the table says of it.
const viewer = {rows: [], at: 0};

function openViewer(row, rows) {
  viewer.rows = rows && rows.length ? rows : [row];
  viewer.at = Math.max(0, viewer.rows.indexOf(row));
  showInViewer();
  if (!byId('viewer').open) byId('viewer').showModal();
}

function showInViewer() {
  const row = viewer.rows[viewer.at];
  const own = column.cluster[row];
  const second = column.second[row];
  const toCluster = () => leaveTo(() => select(own, true));
  byId('viewer-picture').replaceChildren(picture(row));
  byId('viewer-name').replaceChildren(el('bdi', {}, data.names[row]));
  const facts = [
    ['Path', el('bdi.path', {}, pathOf(row))],
    ['Cluster', el('button.link', {type: 'button', onclick: toCluster}, chip(own), ` ${nameOf(own)}`)],
    own >= 0 && ['Confidence', percent(column.confidence[row] / 255)],
    own < 0 && second >= 0 && ['Nearest', chip(second)],
    own >= 0 && second >= 0 && ['Second choice', el('span', {}, chip(second), ` ${percent(secondShare(row))}`)],
    ['Outlier score', (column.outlier[row] / 255).toFixed(2)],
    labelOf(row) && ['Label', el('bdi', {}, labelOf(row))],
    column.duplicate_group[row] >= 0 && ['Near-duplicates', counted(copiesOf(row), 'other image')],
  ].filter(Boolean);
  byId('viewer-facts').replaceChildren(...facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));
  byId('viewer-back').disabled = viewer.at === 0;
  byId('viewer-next').disabled = viewer.at === viewer.rows.length - 1;
}

function copiesOf(row) {
  const own = column.duplicate_group[row];
  return column.duplicate_group.reduce((sum, group) => sum + (group === own), -1);
}

function turnViewer(step) {
  viewer.at = Math.min(viewer.rows.length - 1, Math.max(0, viewer.at + step));
  showInViewer();
}

function leaveTo(go) {
  byId('viewer').close();
  go();
}

function copyPath() {
  const text = pathOf(viewer.rows[viewer.at]);
  const done = () => {
    byId('viewer-copy').textContent = 'Copied';
    setTimeout(() => { byId('viewer-copy').textContent = 'Copy path'; }, 1200);
  };
  if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, () => {});
}

byId('viewer-back').onclick = () => turnViewer(-1);
byId('viewer-next').onclick = () => turnViewer(1);
byId('viewer-copy').onclick = copyPath;
byId('viewer-close').onclick = () => byId('viewer').close();
byId('viewer-map').onclick = () => leaveTo(() => showOnMap(viewer.rows[viewer.at]));
byId('viewer').addEventListener('click', (event) => { if (event.target === byId('viewer')) byId('viewer').close(); });
byId('viewer').addEventListener('keydown', (event) => {
  if (event.key === 'ArrowLeft') turnViewer(-1);
  else if (event.key === 'ArrowRight') turnViewer(1);
  else return;
  event.preventDefault();
});
