/* global cytoscape */
import { bendAround } from './bends.js';
import { portsLabel, stateOf } from './links.js';
import { mapStyle } from './map-style.js';
import { mapName } from './names.js';
import { tiles } from './tiles.js';

// Two runs over the same graph must look the same: people remember where things are. The layout improves given positions and
// does not draw lots; the positions it begins with come from the order in which the server lists groups and nodes.
const layout = {
  name: 'fcose',
  quality: 'proof',
  randomize: false,
  animate: false,
  fit: false,
  nodeDimensionsIncludeLabels: true,
  packComponents: false,
  nodeSeparation: 70,
  idealEdgeLength: edge => edge.source().parent().same(edge.target().parent()) ? 70 : 95,
  nodeRepulsion: 5500,
  edgeElasticity: 0.25,
  gravity: 0.3,
  gravityCompound: 1.4,
  nestingFactor: 0.2,
  numIter: 4000,
  tilingPaddingVertical: 14,
  tilingPaddingHorizontal: 14,
};

// Labels are 13 px at a zoom of 1; below 0.65 they would be smaller than 8.5 px.
const legible = 0.65;

const shapes = {
  pod: 'ellipse', workload: 'round-rectangle', service: 'hexagon', namespace: 'round-rectangle', node: 'barrel', vm: 'rectangle',
  host: 'rectangle', load_balancer: 'round-diamond', cidr: 'cut-rectangle', external: 'cut-rectangle', unknown: 'cut-rectangle', ambiguous: 'round-octagon',
};

/** The map: boxes of what belongs together, nodes within, links between. */
export class FlowMap {
  #cy;
  #place;

  constructor(place, choose) {
    this.#place = place;
    this.#cy = cytoscape({ container: place, style: mapStyle(place), minZoom: 0.15, maxZoom: 3, boxSelectionEnabled: false, autounselectify: true });
    // A canvas says nothing of what is on it: this is for tests and for those who ask in the console.
    place.drawn = () => this.#cy.nodes('.leaf').map(node => node.data('label'));
    this.#cy.on('tap', event => {
      if (event.target === this.#cy || event.target.hasClass('group')) {
        choose('');
      } else {
        choose(event.target.id());
      }
    });
    this.#cy.on('dragfree', 'node', () => bendAround(this.#cy));
    this.#cy.on('mouseover', 'edge', event => event.target.addClass('near'));
    this.#cy.on('mouseout', 'edge', event => event.target.removeClass('near'));
  }

  show(graph) {
    const before = new Map(this.#cy.nodes('.leaf').map(node => [node.id(), { ...node.position() }]));
    const same = before.size === graph.nodes.length && graph.nodes.every(node => before.has(node.id));
    const kinds = new Map(graph.groups.map(group => [group.id, group.kind]));
    const boxed = group => kinds.get(group) === 'namespace';
    this.#cy.elements().remove();
    this.#cy.add([
      ...graph.groups.filter(group => boxed(group.id)).map(group => ({ data: { id: group.id, label: group.label, kind: group.kind }, classes: `group ${group.kind}` })),
      ...graph.nodes.map(node => ({
        data: { id: node.id, parent: boxed(node.group) ? node.group : undefined, label: mapName(node), shape: kinds.get(node.group) === 'machines' ? 'rectangle' : shapes[node.kind] ?? 'ellipse' },
        classes: ['leaf', node.kind, kinds.get(node.group), ...node.flags].join(' '),
      })),
      ...graph.links.map(link => ({
        data: { id: link.id, source: link.from, target: link.to, label: portsLabel(link), width: 1 + Math.min(4, Math.log10(1 + link.connections) * 0.7) },
        classes: ['link', stateOf(link), ...link.flags].join(' '),
      })),
    ]);
    seed(this.#cy, graph, before);
    if (graph.nodes.length > 0 && !same) {
      this.#cy.layout(layout).run();
      this.#stretch();
      this.fit();
      if (this.#cy.zoom() < legible) {
        this.#tile(graph);
        this.fit();
      }
    }
    bendAround(this.#cy);
  }

  /** Shows which links match; the others stay as shadows, so that the picture does not jump. */
  dim(matching, filtered) {
    this.#cy.batch(() => {
      this.#cy.edges().forEach(edge => edge.toggleClass('dim', filtered && !matching.has(edge.id())));
      this.#cy.nodes('.leaf').forEach(node => node.toggleClass('dim', filtered && node.connectedEdges().every(edge => edge.hasClass('dim'))));
    });
  }

  select(id) {
    this.#cy.batch(() => {
      this.#cy.elements().removeClass('chosen beside away');
      const chosen = id ? this.#cy.getElementById(id) : this.#cy.collection();
      if (chosen.empty()) {
        return;
      }
      const beside = chosen.isNode() ? chosen.closedNeighborhood() : chosen.union(chosen.connectedNodes());
      chosen.addClass('chosen');
      beside.addClass('beside');
      this.#cy.elements('.leaf, .link').difference(beside).addClass('away');
    });
  }

  zoom(factor) {
    this.#cy.zoom({ level: this.#cy.zoom() * factor, renderedPosition: { x: this.#cy.width() / 2, y: this.#cy.height() / 2 } });
  }

  fit() {
    this.#cy.fit(undefined, 24);
    // A handful of nodes blown up to fill the screen reads worse than at its natural size.
    if (this.#cy.zoom() > 1.25) {
      this.#cy.zoom(1.25);
      this.#cy.center();
    }
  }

  #tile(graph) {
    const groups = [...new Set(graph.nodes.map(node => node.group))].map(group => {
      const members = graph.nodes.filter(node => node.group === group).map(node => node.id);
      const box = this.#cy.nodes().filter(node => members.includes(node.id())).boundingBox();
      return { members, x: (box.x1 + box.x2) / 2, y: (box.y1 + box.y2) / 2 };
    });
    const positions = tiles(groups, this.#cy.width() / this.#cy.height());
    this.#cy.nodes('.leaf').positions(node => positions.get(node.id()));
  }

  /** Screens are wide and the layout comes out round: pulling it apart sideways costs nothing, and no box can come to overlap another. */
  #stretch() {
    const box = this.#cy.elements().boundingBox();
    const factor = Math.min(2, (this.#cy.width() / this.#cy.height()) / (box.w / box.h));
    if (factor > 1) {
      this.#cy.nodes('.leaf').positions(node => ({ x: node.position('x') * factor, y: node.position('y') }));
    }
  }

  resize() {
    this.#cy.resize();
  }

  restyle() {
    this.#cy.style(mapStyle(this.#place));
  }
}

/** Groups on a wide ring, their nodes on a small one; nodes that were drawn before stay where they were. */
function seed(cy, graph, before) {
  const groups = [...graph.groups.map(group => group.id), null].filter(id => graph.nodes.some(node => (node.group ?? null) === id));
  const radius = 75 * Math.max(1, groups.length - 1);
  groups.forEach((group, index) => {
    const angle = 2 * Math.PI * index / groups.length - Math.PI;
    const [x, y] = [2.2 * radius * Math.cos(angle), 0.7 * radius * Math.sin(angle)];
    const members = graph.nodes.filter(node => (node.group ?? null) === group);
    const spread = group === null ? radius : 18 * members.length;
    members.forEach((node, place) => {
      const turn = 2 * Math.PI * place / members.length + 0.4;
      cy.getElementById(node.id).position(before.get(node.id) ?? { x: x + 1.6 * spread * Math.cos(turn), y: y + spread * Math.sin(turn) });
    });
  });
}
