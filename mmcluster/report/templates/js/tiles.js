// Pictures, and what stands for an image that has none.
function picture(row) {
  const source = pictureSource(row);
  if (source) return el('img', {src: source, alt: '', decoding: 'async', draggable: false});
  const blank = el('span.blank', {}, el('bdi', {}, data.names[row]));
  blank.style.borderColor = colorOf(column.cluster[row]);
  return blank;
}

// A button with a picture; `rows` is the list in which the viewer goes on from here.
function tile(row, rows, ...caption) {
  const said = `${pathOf(row)}, ${nameOf(column.cluster[row])}`;
  const open = () => openViewer(row, rows);
  return el('button.tile', {type: 'button', 'aria-label': said, title: pathOf(row), onclick: open},
    picture(row), caption.length ? el('span.caption', {}, ...caption) : null);
}

function tiles(rows, caption = () => []) {
  const grid = el('div.tiles', {}, ...rows.map((row) => tile(row, rows, ...caption(row))));
  withArrows(grid, 'button');
  return grid;
}

// Arrow keys move between the buttons of a group; up and down to the nearest one above or below.
function withArrows(group, selector) {
  group.addEventListener('keydown', (event) => {
    const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1}[event.key];
    const all = [...group.querySelectorAll(selector)];
    const at = all.indexOf(document.activeElement);
    if (!step || at < 0) return;
    let next = at + step;
    if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      const here = all[at].getBoundingClientRect();
      const boxes = all.map((node) => node.getBoundingClientRect());
      const elsewhere = (box) => Math.abs(box.top - here.top) < 8 || Math.abs(box.left - here.left) > here.width / 2;
      while (all[next] && elsewhere(boxes[next])) next += step;
    }
    if (all[next]) all[next].focus();
    event.preventDefault();
  });
}
