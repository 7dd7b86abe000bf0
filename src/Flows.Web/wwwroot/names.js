// How a node is called: short on the map, whole elsewhere.

/** "node node-a | pod monitoring/exporter" as its holders: [{ kind, name }]; none for a node that is certain. */
export const candidates = node => node.kind !== 'ambiguous' ? []
  : node.name.replace(/^[^|]*: (?=\S+ \S)/, '').split(' | ').map(text => {
    const at = text.indexOf(' ');
    return { kind: text.slice(0, at).replace('_', ' '), name: text.slice(at + 1) };
  });

/** One line for tables and headings. */
export function fullName(node) {
  const several = candidates(node);
  return several.length > 1 ? several.map(one => one.name).join(' or ')
    : node.kind === 'unknown' && node.address_count === 1 && node.name !== node.addresses[0] ? `${node.label} ${node.addresses[0]}`
    : node.label;
}

/** What stands under the node on the map; the box already names the namespace. */
export function mapName(node) {
  const mark = node.flags.includes('scanner') ? '⚠ ' : '';
  const several = candidates(node);
  if (several.length > 1) {
    const shown = several.slice(0, 2).map(one => short(one.name.slice(one.name.indexOf('/') + 1)));
    return `${mark}${shown.join(' or\n')}${several.length > 2 ? ` or ${several.length - 2} more` : ''}`;
  }
  if (node.kind === 'unknown' && node.address_count > 0 && node.name !== node.addresses[0]) {
    return `${mark}${node.name}\n${node.address_count === 1 ? node.addresses[0] : `${node.address_count} addresses`}`;
  }
  // Of the name that a Deployment gives a pod, the workload and the last part tell it from its siblings.
  return mark + short(node.kind === 'pod' ? node.name.replace(/-[a-z0-9]{6,10}-([a-z0-9]{5})$/, ' …$1') : node.name);
}

const short = text => text.length > 28 ? text.slice(0, 18) + '…' + text.slice(-9) : text;
