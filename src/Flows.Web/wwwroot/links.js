// What a link says, in words that the map, the table and the details share.

/** The one state that matters most to whoever looks: what failed comes before what is merely uncertain. */
export function stateOf(link) {
  if (link.flags.includes('refused_only') || link.flags.includes('failed_only')) {
    return 'refused';
  }
  if (link.flags.includes('unanswered_only')) {
    return 'unanswered';
  }
  return link.flags.includes('untrusted_direction') ? 'untrusted' : 'answered';
}

export const stateText = { answered: 'answered', refused: 'refused', unanswered: 'unanswered', untrusted: 'direction uncertain' };

export const portText = port => port.protocol === 'icmp' || port.protocol === 'icmp6' ? port.protocol : `${port.protocol}/${port.port}`;

/** The busiest ports first; TCP goes without saying on the map. */
export function portsLabel(link, most = 2) {
  const ports = [...link.ports].sort((a, b) => b.connections - a.connections);
  if (ports.length > most + 1) {
    return `${ports.length} ports`;
  }
  return ports.map(port => port.protocol === 'tcp' ? String(port.port) : portText(port)).join(', ');
}

export const flagText = {
  refused_only: 'every connection was refused',
  unanswered_only: 'no connection was answered (which is not the same as denied)',
  failed_only: 'some connections were refused, the others unanswered',
  untrusted_direction: 'who began is a guess: the arrow may point the wrong way',
  ambiguous_end: 'an end is one of several holders of its address',
  unknown_end: 'nobody is known to have held the address',
  scanner: 'tries many targets and mostly fails: looks like a scanner',
};
