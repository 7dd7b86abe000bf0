// Probabilities as a person reads them.

/** 0.0314 as 3.1 %; what is small but not nothing stays above it. */
export const percent = share => share === 0 || share === 1 ? `${share * 100}\u2009%` : share < 0.001 ? '< 0.1\u2009%' : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}\u2009%`;

/** An estimate with its interval: "3.1 % (1.2 to 5.0 %)". */
export const estimate = ({ share, low, high }) => `${percent(share)} (${percent(low)} to ${percent(high)})`;
