// Forces spread a busy graph until its labels are too small to read. Tiles give every node a cell that holds its label, and every group a
// box of cells; what the forces found out decides only which boxes stand next to each other.

const cell = { width: 128, height: 66 };
const gap = 56;

/** Positions for the leaves by id. Groups are { members: [id], x, y } with the centre that the force layout gave them. */
export function tiles(groups, aspect) {
  const boxes = groups.map(group => {
    const columns = Math.max(1, Math.round(Math.sqrt(group.members.length * 0.9)));
    const rows = Math.ceil(group.members.length / columns);
    return { ...group, columns, width: columns * cell.width + gap, height: rows * cell.height + gap };
  });
  const area = boxes.reduce((sum, box) => sum + box.width * box.height, 0);
  const widest = Math.max(Math.sqrt(area * aspect) * 1.05, ...boxes.map(box => box.width));

  const positions = new Map();
  let top = 0;
  for (const shelf of shelves(boxes.sort((a, b) => a.y - b.y || a.x - b.x), widest)) {
    let left = (widest - shelf.reduce((sum, box) => sum + box.width, 0)) / 2;
    for (const box of shelf.sort((a, b) => a.x - b.x)) {
      // Every other row is shifted a little, so that links along a row do not run through its nodes' labels.
      box.members.forEach((id, index) => positions.set(id, {
        x: left + (index % box.columns + 0.5) * cell.width + (Math.floor(index / box.columns) % 2) * 18,
        y: top + (Math.floor(index / box.columns) + 0.5) * cell.height + (index % box.columns % 2) * 14,
      }));
      left += box.width;
    }
    top += Math.max(...shelf.map(box => box.height));
  }
  return positions;
}

function shelves(boxes, widest) {
  const made = [];
  let room = 0;
  for (const box of boxes) {
    if (made.length === 0 || box.width > room) {
      made.push([]);
      room = widest;
    }
    made.at(-1).push(box);
    room -= box.width;
  }
  return made;
}
