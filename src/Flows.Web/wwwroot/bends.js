// A line that runs through a node it has nothing to do with reads as a link to that node: such lines are bent around it.

const bends = [0, 50, -50, 90, -90, 140, -140, 200, -200];
const samples = 24;

/** Chooses for every link the smallest bend that keeps it off the nodes and labels of others. */
export function bendAround(cy) {
  const boxes = [
    ...cy.nodes('.leaf').map(node => ({ id: node.id(), weight: 1000, ...box(node) })),
    ...cy.nodes('.group').map(node => ({ id: node.id(), weight: 200, ...title(node) })),
  ];
  cy.batch(() => cy.edges().forEach(edge => {
    const [from, to] = [edge.source(), edge.target()];
    const others = boxes.filter(one => one.id !== from.id() && one.id !== to.id());
    // Of two links between the same nodes the one bends more than the other, or both would take the same curve.
    const more = from.id() > to.id() && to.edgesTo(from).nonempty() ? 1 + 60 / 90 : 1;
    const best = from.same(to) ? 0 : least(bends.map(bend => bend * more), bend => hits(from.position(), to.position(), bend, others) + Math.abs(bend));
    edge.toggleClass('bent', best !== 0);
    edge.data('bend', best);
  }));
}

function box(node) {
  const { x1, x2, y1, y2 } = node.boundingBox({ includeLabels: true, includeOverlays: false });
  return { left: x1, right: x2, top: y1, bottom: y2 };
}

/** The strip above a group that holds its name. */
function title(node) {
  const { x1, x2, y1 } = node.boundingBox({ includeLabels: false, includeOverlays: false });
  const half = node.data('label').length * 4 + 4;
  return { left: (x1 + x2) / 2 - half, right: (x1 + x2) / 2 + half, top: y1 - 20, bottom: y1 - 2 };
}

/** What the curve runs through, by weight. */
function hits(a, b, bend, boxes) {
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const control = { x: (a.x + b.x) / 2 - (b.y - a.y) / length * bend, y: (a.y + b.y) / 2 + (b.x - a.x) / length * bend };
  const hit = new Set();
  for (let step = 1; step < samples; step++) {
    const t = step / samples;
    const x = (1 - t) ** 2 * a.x + 2 * t * (1 - t) * control.x + t ** 2 * b.x;
    const y = (1 - t) ** 2 * a.y + 2 * t * (1 - t) * control.y + t ** 2 * b.y;
    boxes.forEach(one => x > one.left && x < one.right && y > one.top && y < one.bottom && hit.add(one));
  }
  return [...hit].reduce((sum, one) => sum + one.weight, 0);
}

const least = (values, cost) => values.map(value => [cost(value), value]).reduce((best, one) => one[0] < best[0] ? one : best)[1];
