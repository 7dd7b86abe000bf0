// The engine's words as a person reads them.

export const stateText = { learning: 'Learning', stabilising: 'Stabilising', stable: 'Stable' };

export const adviceText = { enforce: 'Enforce', watch: 'Watch for longer', mend: 'Mend first', idle: 'Governs nobody' };

/** direction_not_observed as "direction not observed". */
export const plain = word => word.replaceAll('_', ' ');

export const plural = (number, one, many = `${one}s`) => `${String(number)} ${number === 1 ? one : many}`;

/** How an end of an edge got its name. */
export const resolvedText = {
  as_of: 'as of then', late: 'learned late', owner: 'by socket', name: 'by DNS name', cidr: 'by range', ambiguous: 'one of several', unknown: 'by address only',
};
