// Cytoscape draws on a canvas and cannot read the style sheet; it takes the same colours from it here.

/** The map's style in the colours of the page as it is now (light or dark). */
export function mapStyle(place) {
  const colours = getComputedStyle(place);
  const colour = name => colours.getPropertyValue(`--${name}`).trim();
  const line = (state, style, arrow = 'triangle') => ({
    selector: `edge.${state}`,
    style: { 'line-color': colour(state), 'target-arrow-color': colour(state), 'line-style': style, 'target-arrow-shape': arrow, ...(style === 'dashed' ? { 'line-dash-pattern': [7, 4] } : {}) },
  });
  return [
    {
      selector: 'node.leaf',
      style: {
        shape: 'data(shape)', width: 26, height: 26, label: 'data(label)', color: colour('ink'), 'font-size': 13, 'font-family': 'system-ui, sans-serif',
        'text-valign': 'bottom', 'text-margin-y': 5, 'background-color': colour('node'), 'border-width': 1.5, 'border-color': colour('node-line'),
        'text-outline-width': 2.5, 'text-outline-color': colour('paper'), 'text-wrap': 'wrap', 'text-max-width': 220, 'min-zoomed-font-size': 6,
      },
    },
    { selector: 'node.namespace, node.workload', style: { width: 30 } },
    { selector: 'node.machines', style: { 'background-color': colour('machine') } },
    { selector: 'node.outside, node.external, node.cidr, node.unknown', style: { 'background-color': colour('outside') } },
    { selector: 'node.service', style: { 'background-color': colour('service') } },
    { selector: 'node.ambiguous, node.ambiguous_end, node.unknown_end', style: { 'border-style': 'dashed', 'border-width': 2, 'border-color': colour('quiet') } },
    { selector: 'node.scanner', style: { 'border-color': colour('refused'), 'border-width': 4, 'border-style': 'double', color: colour('refused'), 'font-weight': 'bold' } },
    {
      selector: 'node.group',
      style: {
        shape: 'round-rectangle', 'background-color': colour('box'), 'background-opacity': 1, 'border-width': 1, 'border-color': colour('box-line'), padding: 12,
        label: 'data(label)', 'text-valign': 'top', 'text-halign': 'center', 'text-margin-y': -5, 'font-size': 13, 'font-weight': 'bold', color: colour('quiet'),
        'font-family': 'system-ui, sans-serif',
      },
    },
    {
      selector: 'edge',
      style: {
        width: 'data(width)', 'curve-style': 'bezier', 'control-point-step-size': 34, 'arrow-scale': 1, label: 'data(label)', 'font-size': 11, color: colour('quiet'),
        'font-family': 'system-ui, sans-serif', 'text-background-color': colour('paper'), 'text-background-opacity': 0.9, 'text-background-padding': 2,
        'text-background-shape': 'roundrectangle', 'text-rotation': 'autorotate', 'min-zoomed-font-size': 5,
      },
    },
    { selector: 'edge.bent', style: { 'curve-style': 'unbundled-bezier', 'control-point-distances': 'data(bend)', 'control-point-weights': 0.5 } },
    line('answered', 'solid'),
    line('refused', 'dashed', 'tee'),
    line('unanswered', 'dotted', 'triangle-tee'),
    { selector: 'edge.untrusted', style: { 'line-color': colour('untrusted'), 'target-arrow-color': colour('untrusted'), 'line-style': 'dashed', 'line-dash-pattern': [14, 4, 2, 4], 'target-arrow-shape': 'vee' } },
    { selector: 'edge.near', style: { 'z-index': 9, color: colour('ink'), 'font-size': 12 } },
    { selector: '.dim, .away', style: { opacity: 0.15 } },
    { selector: 'node.chosen', style: { 'border-color': colour('accent'), 'border-width': 4, 'border-style': 'solid' } },
    { selector: 'edge.chosen', style: { 'underlay-color': colour('accent'), 'underlay-opacity': 0.3, 'underlay-padding': 4, color: colour('ink'), 'font-size': 12 } },
  ];
}
