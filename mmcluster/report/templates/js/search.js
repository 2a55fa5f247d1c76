// Search by path: every word must be in it; labels and cluster numbers ("cluster:7") are found, too.
const FOUND_SHOWN = 120;
let found = null;
let lowered = null;

function search(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const searched = (name, row) => `${pathOf(row)} ${labelOf(row)} cluster:${column.cluster[row]} `.toLowerCase();
  lowered = lowered || data.names.map(searched);
  const rows = [];
  if (words.length) {
    lowered.forEach((path, row) => {
      if (words.every((word) => path.includes(word.startsWith('cluster:') ? `${word} ` : word))) rows.push(row);
    });
  }
  found = words.length ? rows : null;
  showFound();
}

function showFound() {
  byId('results').hidden = !found;
  if (found) {
    // images that have a picture come first, they say more
    const bare = (row) => !pictureOf.has(row);
    const shown = [...found.filter((row) => !bare(row)), ...found.filter(bare)].slice(0, FOUND_SHOWN);
    const part = shown.length < found.length ? `, ${shown.length} shown` : '';
    byId('results-title').textContent = `${counted(found.length, 'image')} found${part}`;
    const grid = tiles(shown, (row) => [chip(column.cluster[row]), ' ', el('bdi', {}, data.names[row])]);
    grid.id = 'results-tiles';
    byId('results-tiles').replaceWith(grid);
  }
  recolor();
}

function closeSearch() {
  byId('search').value = '';
  search('');
}

let waiting = 0;
byId('search').addEventListener('input', () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    search(byId('search').value);
    if (found) window.scrollTo({top: 0});
  }, 120);
});
byId('search').addEventListener('keydown', (event) => {
  if (event.key === 'Escape') closeSearch();
  if (event.key === 'ArrowDown') {
    const first = byId('results-tiles').querySelector('button');
    if (first) first.focus();
    event.preventDefault();
  }
});
byId('results-close').onclick = closeSearch;
